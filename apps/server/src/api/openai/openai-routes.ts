import { Hono } from 'hono';
import type { GenerationService } from '../../generation/generation-service.ts';
import type { TextModel } from '../../generation/text-model.ts';
import { readJsonFields } from '../../http/json-fields.ts';
import type { WaitingReplyOptions } from '../../http/waiting-reply.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { AppEnv } from '../access/app-env.ts';
import { directReply } from '../direct-reply.ts';
import { completionHead } from './completion-reply.ts';
import { parseCompletionRequest } from './completion-request.ts';
import { collectCompletion, streamCompletion } from './completion-service.ts';
import { describeModel, listModels } from './model-list.ts';

/** What the routes of all compatible APIs need. */
export interface DirectRoutesDeps {
  readonly model: TextModel;
  readonly generations: GenerationService;
  readonly logger: Logger;
  readonly clock: () => Date;
  readonly maxJsonBytes: number;
  readonly waiting: WaitingReplyOptions;
}

/** The part of OpenAI's API that a model without chat can answer. */
export function openAiRoutes(deps: DirectRoutesDeps): Hono<AppEnv> {
  const { model, clock, maxJsonBytes } = deps;
  const servedSince = clock();
  return new Hono<AppEnv>({ strict: false })
    .post('/v1/completions', async (c) => {
      const request = parseCompletionRequest(model, await readJsonFields(c.req.raw, maxJsonBytes));
      const head = completionHead(model.info.modelName, clock());
      return await directReply(deps, c, request.prompts, {
        stream: request.stream
          ? (events, onFailure) => streamCompletion(model, request, head, events, onFailure)
          : null,
        collect: (events) => collectCompletion(model, request, head, events),
      });
    })
    .get('/v1/models', (c) => c.json(listModels(model, servedSince)))
    .get('/v1/models/:name{.+}', (c) => c.json(describeModel(model, c.req.param('name'), servedSince)));
}
