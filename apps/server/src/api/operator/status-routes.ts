import { Hono } from 'hono';
import type { AppEnv } from '../access/app-env.ts';

export interface StatusRoutesDeps {
  /** Whether runs can be taken now. */
  readonly ready: () => Promise<boolean>;
  readonly modelName: string;
}

/** What anybody may ask: is it alive, can it take runs, what is it. */
export function statusRoutes({ ready, modelName }: StatusRoutesDeps): Hono<AppEnv> {
  return new Hono<AppEnv>({ strict: false })
    .get('/', (c) =>
      c.json({
        name: 'gptj-cloud',
        description: 'GPT-J behind the Pipeline Cloud v2 API of 2022',
        model: modelName,
        run: 'POST /v2/runs with {"pipeline_id": …, "data": [prompt, parameters]} and Authorization: Bearer <token>',
        docs: 'GET /docs for people, GET /openapi.json for machines',
      }),
    )
    .get('/healthz', (c) => c.json({ status: 'ok' }))
    .get('/readyz', async (c) => ((await ready()) ? c.json({ status: 'ready' }) : c.json({ status: 'not ready' }, 503)))
    .get('/v2/status', (c) => c.json({ alive: true }));
}
