import { type EngineGet, engineGetSchema, toTimestamp } from '@gptj-cloud/protocol';
import { z } from 'zod';
import type { ModelService } from '../../generation/model-service.ts';
import { namedModel } from '../../generation/text-model.ts';
import { json } from '../../http/openapi/operation.ts';
import { query } from '../../http/parameter.ts';
import { defineRoute } from '../../http/route.ts';
import { ENGINE_SAMPLE_MS } from '../../telemetry/metrics/engine-monitor.ts';
import { type ApiRoute, scope } from '../access/access.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';
import { toHostedModel } from './served-model.ts';

export interface EngineRoutesDeps {
  /** At least one; the first is that of requests without a name. */
  readonly models: readonly ModelService[];
}

/** The served models and their load. */
export function engineRoutes({ models }: EngineRoutesDeps): readonly ApiRoute[] {
  return [
    defineRoute({
      method: 'get',
      path: '/v2/engine',
      access: scope('read'),
      errors: pipelineCloudErrors,
      tag: 'server',
      summary: 'Get a served model and the load of its engine',
      description:
        'The figures are those of `GET /metrics`, of this server alone. The history covers the last five minutes. `models` lists every served model and says whether it is loaded.',
      parameters: {
        model: query(
          'model',
          'Name of a served model. Default: the one that requests without a name get.',
          z.string().optional(),
        ),
      },
      replies: { 200: json(engineGetSchema, 'The model, its state, cache and speed.') },
      handle: ({ parameters }) => readEngine(models, parameters.model),
    }),
  ];
}

/** The engine of the model of a name; undefined: of the first. Throws `model_unknown`. */
export async function readEngine(models: readonly ModelService[], name: string | undefined): Promise<EngineGet> {
  const [first] = models;
  if (first === undefined) throw new TypeError('expected at least one model, got none');
  const chosen = name === undefined ? first.model : namedModel(first.model, name);
  const service = models.find(({ model }) => model.info.modelName === chosen.info.modelName) ?? first;
  const { info } = service.engine;
  const { stats, isReady, since, reason, history } = await service.monitor.status();
  const cells = stats?.cacheCells || info.cacheCells;
  return {
    pipeline_id: service.pipeline.id,
    model: {
      name: info.modelName,
      type: 'gptj',
      quantisation: info.quantisation,
      layers: info.config.layerCount,
      context: info.config.contextLength,
      vocabulary: info.config.vocabSize,
      loaded_in_ms: Math.round(info.loadMs),
    },
    state: isReady ? 'ready' : 'unavailable',
    since: toTimestamp(since),
    reason,
    memory_bytes: stats?.memoryBytes ?? null,
    cells: { total: cells, used: stats === null ? null : cells - stats.freeCells },
    active: stats?.active ?? null,
    waiting: stats?.waiting ?? null,
    oldest_waiting_ms: stats === null ? null : Math.round(stats.oldestWaitingMs),
    tokens_per_second: history.at(-1)?.tokensPerSecond ?? 0,
    history: {
      interval_seconds: ENGINE_SAMPLE_MS / 1000,
      samples: history.map(({ at, tokensPerSecond, busy, active, waiting }) => ({
        at: toTimestamp(at),
        tokens_per_second: tokensPerSecond,
        busy,
        active,
        waiting,
      })),
    },
    models: models.map(toHostedModel),
  };
}
