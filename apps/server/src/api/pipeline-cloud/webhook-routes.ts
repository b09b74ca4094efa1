import { parsePageQuery, webhookCreateSchema, webhookPatchSchema } from '@gptj-cloud/protocol';
import { type Context, Hono } from 'hono';
import { readJsonBody } from '../../http/json-body.ts';
import type { WebhookService } from '../../webhooks/webhook-service.ts';
import type { AppEnv } from '../access/app-env.ts';
import { callerOf } from '../access/signed-in.ts';

export interface WebhookRoutesDeps {
  readonly webhooks: WebhookService;
  readonly maxJsonBytes: number;
}

/** The webhooks of the asking project, what was sent to them, and sending it again. */
export function webhookRoutes({ webhooks, maxJsonBytes }: WebhookRoutesDeps): Hono<AppEnv> {
  const project = (c: Context<AppEnv>): string => c.get('principal').projectId;
  const page = (c: Context<AppEnv>) => {
    const { skip, limit, order_by: orderBy } = c.req.query();
    return parsePageQuery({ skip, limit, orderBy }, ['created_at']);
  };
  return new Hono<AppEnv>({ strict: false })
    .post('/v2/webhooks', async (c) => {
      const { value } = await readJsonBody(c.req.raw, webhookCreateSchema, maxJsonBytes);
      return c.json(await webhooks.create(project(c), value, callerOf(c)), 201);
    })
    .get('/v2/webhooks', async (c) => c.json(await webhooks.list(project(c), page(c))))
    .get('/v2/webhooks/:id', async (c) => c.json(await webhooks.get(project(c), c.req.param('id'))))
    .patch('/v2/webhooks/:id', async (c) => {
      const { value } = await readJsonBody(c.req.raw, webhookPatchSchema, maxJsonBytes);
      return c.json(await webhooks.update(project(c), c.req.param('id'), value, callerOf(c)));
    })
    .delete('/v2/webhooks/:id', async (c) => {
      await webhooks.remove(project(c), c.req.param('id'), callerOf(c));
      return c.body(null, 204);
    })
    .get('/v2/webhooks/:id/deliveries', async (c) =>
      c.json(await webhooks.deliveries(project(c), c.req.param('id'), page(c))),
    )
    .post('/v2/webhooks/:id/deliveries/:delivery/replay', async (c) =>
      c.json(await webhooks.replay(project(c), c.req.param('id'), c.req.param('delivery')), 201),
    );
}
