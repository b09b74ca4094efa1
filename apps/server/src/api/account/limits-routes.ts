import { limitsGetSchema } from '@gptj-cloud/protocol';
import { json } from '../../http/openapi/operation.ts';
import { defineRoute } from '../../http/route.ts';
import type { LimitsService } from '../../metering/usage/limits-service.ts';
import { type ApiRoute, scope } from '../access/access.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';

/** What is left of the plan. */
export function limitsRoutes(limits: LimitsService): readonly ApiRoute[] {
  return [
    defineRoute({
      method: 'get',
      path: '/v2/limits',
      // A program that makes runs waits for what they need.
      access: scope('read', 'run'),
      errors: pipelineCloudErrors,
      tag: 'plans and usage',
      summary: 'What the account of the project has used of the limits of its plan',
      replies: { 200: json(limitsGetSchema, 'Used and reserved amounts, limits, and when they begin again.') },
      handle: ({ principal }) => limits.read(principal),
    }),
  ];
}
