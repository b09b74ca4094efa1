import { planChangeSchema } from '@gptj-cloud/protocol';
import { type Context, Hono } from 'hono';
import type { Caller } from '../../audit/audit-log.ts';
import type { BillingService } from '../../billing/billing-service.ts';
import type { AppEnv } from '../app-env.ts';
import { readJsonBody } from '../json-body.ts';
import { readBody } from '../request-body.ts';

export interface PlanRoutesDeps {
  readonly billing: BillingService;
  readonly maxJsonBytes: number;
}

/** Providers' events are a few kilobytes. */
const MOST_EVENT_BYTES = 256 * 1024;

/** The plans there are, changing to another one, and what payment providers report. */
export function planRoutes({ billing, maxJsonBytes }: PlanRoutesDeps): Hono<AppEnv> {
  return (
    new Hono<AppEnv>({ strict: false })
      .get('/v2/plans', async (c) => c.json(await billing.list(c.get('principal'))))
      .post('/v2/plans/reload', async (c) => c.json(await billing.reload(c.get('principal'))))
      .post('/v2/plan', async (c) => {
        const { value } = await readJsonBody(c.req.raw, planChangeSchema, maxJsonBytes);
        const principal = c.get('principal');
        return c.json(await billing.change(principal, value, callerOf(c, principal)));
      })
      // Nobody signs in here: the signature of the provider is what guards it.
      .post('/v2/billing/stripe-webhook', async (c) => {
        const payload = new TextDecoder().decode(await readBody(c.req.raw, MOST_EVENT_BYTES));
        const caller = callerOf(c, { userId: null, apiKeyId: null });
        await billing.handleEvent(payload, c.req.header('stripe-signature') ?? '', caller);
        return c.json({ received: true });
      })
  );
}

function callerOf(c: Context<AppEnv>, who: Pick<Caller, 'userId' | 'apiKeyId'>): Caller {
  return {
    userId: who.userId,
    apiKeyId: who.apiKeyId,
    address: c.get('clientAddress'),
    requestId: c.get('requestId'),
  };
}
