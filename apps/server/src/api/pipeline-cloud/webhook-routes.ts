import {
  webhookCreateSchema,
  webhookDeliveryGetSchema,
  webhookDeliveryPageSchema,
  webhookDeliveryStateSchema,
  webhookGetSchema,
  webhookPageSchema,
  webhookPatchSchema,
  webhookRotateSchema,
} from '@gptj-cloud/protocol';
import { z } from 'zod';
import { jsonBody } from '../../http/json-body.ts';
import { json, NO_CONTENT } from '../../http/openapi/operation.ts';
import { PAGE, query } from '../../http/parameter.ts';
import { defineRoute } from '../../http/route.ts';
import type { MailDeps } from '../../identity/account-deps.ts';
import { notifyProjectOwner } from '../../identity/projects/project-service.ts';
import type { WebhookService } from '../../webhooks/webhook-service.ts';
import { type ApiRoute, inPerson, scope } from '../access/access.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';

export interface WebhookRoutesDeps {
  readonly webhooks: WebhookService;
  readonly accounts: MailDeps;
}

const webhookReply = json(webhookGetSchema, 'The webhook.');

/** The webhooks of a project, their deliveries, and sending a delivery again. */
export function webhookRoutes({ webhooks, accounts }: WebhookRoutesDeps): readonly ApiRoute[] {
  const record = { errors: pipelineCloudErrors, tag: 'webhooks', holdsSecret: true } as const;
  return [
    defineRoute({
      ...record,
      method: 'post',
      path: '/v2/webhooks',
      access: inPerson(scope('write'), { tokens: 'scope' }),
      summary: 'Add a webhook for the ends of runs',
      description: 'Deliveries are signed with the secret of the webhook and retried when they fail.',
      body: jsonBody(webhookCreateSchema),
      bodyExample: { url: 'https://example.org/runs' },
      replies: { 201: json(webhookGetSchema, 'The webhook with its secret, which is shown only once.') },
      async handle({ body, principal, caller }) {
        const added = await webhooks.create(principal.projectId, body, caller);
        const values = { id: added.id, host: new URL(added.url).host };
        await notifyProjectOwner(accounts, principal.projectId, 'webhook_added', values);
        return added;
      },
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/webhooks',
      access: scope('read'),
      summary: 'List webhooks',
      parameters: PAGE,
      replies: { 200: json(webhookPageSchema, 'A page of webhooks.') },
      handle: ({ parameters, principal }) => webhooks.list(principal.projectId, parameters),
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/webhooks/:id',
      access: scope('read'),
      summary: 'Get a webhook',
      replies: { 200: webhookReply },
      handle: ({ path, principal }) => webhooks.get(principal.projectId, path.id),
    }),
    defineRoute({
      ...record,
      method: 'patch',
      path: '/v2/webhooks/:id',
      access: inPerson(scope('write'), { tokens: 'scope' }),
      summary: 'Change a webhook',
      body: jsonBody(webhookPatchSchema),
      bodyExample: { url: 'https://example.org/runs' },
      replies: { 200: webhookReply },
      handle: ({ path, body, principal, caller }) => webhooks.update(principal.projectId, path.id, body, caller),
    }),
    defineRoute({
      ...record,
      method: 'delete',
      path: '/v2/webhooks/:id',
      access: scope('write'),
      summary: 'Delete a webhook',
      replies: { 204: NO_CONTENT },
      handle: ({ path, principal, caller }) => webhooks.remove(principal.projectId, path.id, caller),
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/webhooks/:id/deliveries',
      access: scope('read'),
      summary: 'List the deliveries of a webhook',
      parameters: {
        ...PAGE,
        state: query('state', 'Those in this state alone.', webhookDeliveryStateSchema.optional()),
        runId: query(
          'run_id',
          'Those of this run alone.',
          z
            .string()
            .regex(/^run_[0-9a-f]{32}$/, 'expected the id of a run')
            .optional(),
        ),
      },
      replies: { 200: json(webhookDeliveryPageSchema, 'A page of deliveries.') },
      handle: ({ path, parameters: { state, runId, ...page }, principal }) =>
        webhooks.deliveries(principal.projectId, path.id, page, { state, runId }),
    }),
    defineRoute({
      ...record,
      method: 'post',
      path: '/v2/webhooks/:id/deliveries/:delivery/replay',
      access: scope('write'),
      summary: 'Send a delivery again',
      replies: { 201: json(webhookDeliveryGetSchema, 'The new delivery.') },
      handle: ({ path, principal }) => webhooks.replay(principal.projectId, path.id, path.delivery),
    }),
    defineRoute({
      ...record,
      method: 'post',
      path: '/v2/webhooks/:id/test',
      access: scope('write'),
      summary: 'Send a test message',
      description:
        'A delivery of the type `webhook.test`, which belongs to no run, is sent once, and counts as a replay.',
      replies: { 201: json(webhookDeliveryGetSchema, 'The new delivery.') },
      handle: ({ path, principal }) => webhooks.test(principal.projectId, path.id),
    }),
    defineRoute({
      ...record,
      method: 'post',
      path: '/v2/webhooks/:id/rotate-secret',
      access: inPerson(scope('write'), { tokens: 'scope' }),
      summary: 'Make another secret for the signatures',
      description: 'For `overlap_seconds` a message has the signatures of both secrets, so that receivers can change.',
      body: jsonBody(webhookRotateSchema),
      bodyExample: { overlap_seconds: 86_400 },
      replies: { 200: json(webhookGetSchema, 'The webhook with its new secret, which is shown only once.') },
      handle: ({ path, body, principal, caller }) =>
        webhooks.rotateSecret(principal.projectId, path.id, body.overlap_seconds, caller),
    }),
  ];
}
