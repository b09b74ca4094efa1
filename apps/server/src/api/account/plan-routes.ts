import { planChangeResultSchema, planChangeSchema, planListSchema } from '@gptj-cloud/protocol';
import { z } from 'zod';
import { jsonBody } from '../../http/json-body.ts';
import { json } from '../../http/openapi/operation.ts';
import { header } from '../../http/parameter.ts';
import { readBody } from '../../http/request-body.ts';
import { defineRoute, type RequestBody } from '../../http/route.ts';
import type { BillingService } from '../../metering/billing/billing-service.ts';
import { type ApiRoute, inPerson, SIGNED, scope, serverOwner } from '../access/access.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';

export interface PlanRoutesDeps {
  readonly billing: BillingService;
}

/** Events of payment providers have a few kilobytes. */
const MAX_EVENT_BYTES = 256 * 1024;

/** The signature covers the bytes, so the body stays text until it is checked. */
const EVENT: RequestBody<string> = {
  content: [{ schema: { type: 'object' } }],
  read: async (request) => new TextDecoder().decode(await readBody(request, { maxBytes: MAX_EVENT_BYTES })),
};

/** Plans, changing to another plan, and the events of payment providers. */
export function planRoutes({ billing }: PlanRoutesDeps): readonly ApiRoute[] {
  const record = { errors: pipelineCloudErrors, tag: 'plans and usage' } as const;
  return [
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/plans',
      access: scope('read'),
      summary: 'List the plans',
      replies: { 200: json(planListSchema, 'The plans, and which of them is the current one.') },
      handle: ({ principal }) => billing.list(principal),
    }),
    defineRoute({
      ...record,
      method: 'post',
      path: '/v2/plans/reload',
      access: serverOwner('reload the plans'),
      summary: 'Read the file of plans again',
      replies: { 200: json(planListSchema, 'The plans as they are now.') },
      handle: ({ principal }) => billing.reload(principal),
    }),
    defineRoute({
      ...record,
      method: 'post',
      path: '/v2/plan',
      access: inPerson(scope('admin'), { tokens: 'scope' }),
      summary: 'Change to another plan',
      body: jsonBody(planChangeSchema),
      bodyExample: { plan_id: 'developer' },
      replies: { 200: json(planChangeResultSchema, 'The change, or the address to pay for it.') },
      handle: ({ body, principal, caller }) => billing.change(principal, body, caller),
    }),
    defineRoute({
      ...record,
      method: 'post',
      path: '/v2/billing/stripe-webhook',
      // The provider does not sign in: its signature authenticates the request.
      access: SIGNED,
      summary: 'Address to which Stripe reports payments',
      description: 'Authenticated by the signature in Stripe-Signature.',
      parameters: {
        signature: header('Stripe-Signature', 'Time and signature of the body.', z.string().optional()),
      },
      body: EVENT,
      bodyExample: { id: 'evt_1', type: 'customer.subscription.updated' },
      replies: { 200: json(z.object({ received: z.boolean() }), 'The event was received.') },
      async handle({ body, parameters, caller }) {
        await billing.handleEvent(body, parameters.signature ?? '', caller);
        return { received: true };
      },
    }),
  ];
}
