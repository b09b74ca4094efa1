import { planChangeSchema } from '@gptj-cloud/protocol';
import { Hono } from 'hono';
import { readJsonBody } from '../../http/json-body.ts';
import { readBody } from '../../http/request-body.ts';
import type { BillingService } from '../../metering/billing/billing-service.ts';
import type { AppEnv } from '../access/app-env.ts';
import { callerOf } from '../access/signed-in.ts';

export interface PlanRoutesDeps {
  readonly billing: BillingService;
  readonly maxJsonBytes: number;
}

/** Providers' events are a few kilobytes. */
const MAX_EVENT_BYTES = 256 * 1024;

/** The plans there are, changing to another one, and what payment providers report. */
export function planRoutes({ billing, maxJsonBytes }: PlanRoutesDeps): Hono<AppEnv> {
  return (
    new Hono<AppEnv>({ strict: false })
      .get('/v2/plans', async (c) => c.json(await billing.list(c.get('principal'))))
      .post('/v2/plans/reload', async (c) => c.json(await billing.reload(c.get('principal'))))
      .post('/v2/plan', async (c) => {
        const { value } = await readJsonBody(c.req.raw, planChangeSchema, maxJsonBytes);
        return c.json(await billing.change(c.get('principal'), value, callerOf(c)));
      })
      // Nobody signs in here: the signature of the provider is what guards it.
      .post('/v2/billing/stripe-webhook', async (c) => {
        const payload = new TextDecoder().decode(await readBody(c.req.raw, MAX_EVENT_BYTES));
        await billing.handleEvent(payload, c.req.header('stripe-signature') ?? '', callerOf(c));
        return c.json({ received: true });
      })
  );
}
