import { ModelError } from '@gptj-cloud/model';
import { Hono } from 'hono';
import { readJsonFields } from '../../http/json-fields.ts';
import type { AppEnv } from '../access/app-env.ts';
import { directReply } from '../direct-reply.ts';
import type { DirectRoutesDeps } from '../openai/openai-routes.ts';
import { parseMeshRequest } from './mesh-request.ts';

/** The demo server of mesh-transformer-jax. It answered errors with 200; here they have a status of their own. */
export function meshRoutes(deps: DirectRoutesDeps): Hono<AppEnv> {
  const { model, maxJsonBytes } = deps;
  return new Hono<AppEnv>({ strict: false }).post('/complete', async (c) => {
    const prompt = parseMeshRequest(model, await readJsonFields(c.req.raw, maxJsonBytes));
    return await directReply(deps, c, [prompt], {
      stream: null,
      collect: async (events) => {
        for await (const event of events) {
          if (event.type !== 'engine' || event.event.type !== 'finished') continue;
          return { completion: model.tokenizer.decode(event.event.outcome.sequences[0]?.tokens ?? []) };
        }
        throw new ModelError('engine_failed', 'the engine ended the generation without a result');
      },
    });
  });
}
