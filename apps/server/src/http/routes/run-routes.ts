import { parsePageQuery, runCreateSchema } from '@gptj-cloud/protocol';
import { Hono } from 'hono';
import type { RunService } from '../../runs/run-service.ts';
import type { AppEnv } from '../app-env.ts';
import { readJsonBody } from '../json-body.ts';
import { type WaitingReplyOptions, waitingReply } from '../waiting-reply.ts';

export interface RunRoutesDeps {
  readonly runs: RunService;
  readonly maxJsonBytes: number;
  readonly waiting: WaitingReplyOptions;
}

/** Making a run, which is answered when it has ended, and looking at runs. */
export function runRoutes({ runs, maxJsonBytes, waiting }: RunRoutesDeps): Hono<AppEnv> {
  return new Hono<AppEnv>({ strict: false })
    .post('/v2/runs', async (c) => {
      const { value, data } = await readJsonBody(c.req.raw, runCreateSchema, maxJsonBytes);
      const accepted = await runs.create(value, data ?? null);
      return await waitingReply(accepted.ended, waiting);
    })
    .get('/v2/runs', async (c) => {
      const { skip, limit, order_by: orderBy } = c.req.query();
      return c.json(await runs.list(parsePageQuery({ skip, limit, orderBy }, ['created_at'])));
    })
    .get('/v2/runs/:id', async (c) => c.json(await runs.get(c.req.param('id'))));
}
