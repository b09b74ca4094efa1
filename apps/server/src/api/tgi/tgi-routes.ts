import { type Context, Hono } from 'hono';
import { checkModelName } from '../../generation/text-model.ts';
import { readJsonFields } from '../../http/json-fields.ts';
import type { AppEnv } from '../access/app-env.ts';
import { directReply } from '../direct-reply.ts';
import type { DirectRoutesDeps } from '../openai/openai-routes.ts';
import { describeServedModel } from './model-info.ts';
import { collectTextGeneration, streamTextGeneration } from './text-generation-reply.ts';
import { type Dialect, parseTextGenerationRequest } from './text-generation-request.ts';

export interface HuggingFaceRoutesDeps extends DirectRoutesDeps {
  readonly ready: () => Promise<boolean>;
}

/** Hugging Face's Inference API (`/models/…`) and text-generation-inference (everything else). */
export function huggingFaceRoutes(deps: HuggingFaceRoutesDeps): Hono<AppEnv> {
  const { model, ready, maxJsonBytes } = deps;
  const generate = async (c: Context<AppEnv>, dialect: Dialect, mustStream = false): Promise<Response> => {
    const fields = await readJsonFields(c.req.raw, maxJsonBytes);
    const request = parseTextGenerationRequest(model, fields, dialect, mustStream);
    return await directReply(deps, c, [request.prompt], {
      stream: request.stream ? (events, onFailure) => streamTextGeneration(model, request, events, onFailure) : null,
      collect: async (events) => {
        const replies = await collectTextGeneration(model, request, events);
        return dialect === 'generate' ? replies[0] : replies;
      },
    });
  };
  return new Hono<AppEnv>({ strict: false })
    .post('/', (c) => generate(c, 'compat'))
    .post('/generate', (c) => generate(c, 'generate'))
    .post('/generate_stream', (c) => generate(c, 'generate', true))
    .post('/models/:name{.+}', async (c) => {
      checkModelName(model, c.req.param('name'));
      return await generate(c, 'inference');
    })
    .get('/info', (c) => c.json(describeServedModel(model)))
    .get('/health', async (c) =>
      (await ready()) ? c.body(null, 200) : c.json({ error: 'unhealthy', error_type: 'healthcheck' }, 503),
    );
}
