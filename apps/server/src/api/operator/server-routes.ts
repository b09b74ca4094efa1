import { type ServerGet, serverGetSchema, toTimestamp } from '@gptj-cloud/protocol';
import type { ModelService } from '../../generation/model-service.ts';
import type { TextModel } from '../../generation/text-model.ts';
import { json } from '../../http/openapi/operation.ts';
import { defineRoute } from '../../http/route.ts';
import type { AccountDeps } from '../../identity/account-deps.ts';
import { needsSetUp } from '../../identity/users/set-up-owner.ts';
import type { Maintenance } from '../../metering/maintenance/maintenance.ts';
import { type ApiRoute, PUBLIC } from '../access/access.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';
import { toServedModel } from './served-model.ts';

export interface ServerRoutesDeps {
  readonly accounts: AccountDeps;
  readonly model: TextModel;
  readonly models: readonly ModelService[];
  readonly version: string;
  readonly maintenance: Maintenance;
}

/** What a page must know before the user is signed in. */
export function serverRoutes({ accounts, model, models, version, maintenance }: ServerRoutesDeps): readonly ApiRoute[] {
  const { settings, providers, db } = accounts;
  return [
    defineRoute({
      method: 'get',
      path: '/v2/server',
      access: PUBLIC,
      errors: pipelineCloudErrors,
      tag: 'server',
      summary: 'What this server is and offers',
      replies: { 200: json(serverGetSchema, 'Model, version and what signing in needs here.') },
      handle: async () => ({
        name: 'gptj-cloud',
        version,
        model: model.info.modelName,
        context: model.info.config.contextLength,
        models: models.map(toServedModel),
        registration: settings.registration,
        verify_required: settings.requireVerifiedEmail,
        mail: settings.sendsMail,
        providers: [...providers.keys()],
        set_up_needed: await needsSetUp(db),
        maintenance: noticeOf(maintenance),
      }),
    }),
  ];
}

function noticeOf(maintenance: Maintenance): ServerGet['maintenance'] {
  const notice = maintenance.current();
  return notice === null ? null : { message: notice.message, since: toTimestamp(notice.since) };
}
