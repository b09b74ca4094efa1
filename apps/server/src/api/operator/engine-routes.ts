import type { EngineInfo } from '@gptj-cloud/engine';
import { type EngineGet, engineGetSchema, toTimestamp } from '@gptj-cloud/protocol';
import { json } from '../../http/openapi/operation.ts';
import { defineRoute } from '../../http/route.ts';
import { ENGINE_SAMPLE_MS, type EngineMonitor, type EngineStatus } from '../../telemetry/metrics/engine-monitor.ts';
import { type ApiRoute, scope } from '../access/access.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';

export interface EngineRoutesDeps {
  readonly engineInfo: EngineInfo;
  readonly engineMonitor: EngineMonitor;
}

/** The served model and its load. */
export function engineRoutes({ engineInfo, engineMonitor }: EngineRoutesDeps): readonly ApiRoute[] {
  return [
    defineRoute({
      method: 'get',
      path: '/v2/engine',
      access: scope('read'),
      errors: pipelineCloudErrors,
      tag: 'server',
      summary: 'Get the served model and the load of its engine',
      description:
        'The figures are those of `GET /metrics`, of this server alone. The history covers the last five minutes.',
      replies: { 200: json(engineGetSchema, 'The model, its state, cache and speed.') },
      handle: async () => toEngineGet(engineInfo, await engineMonitor.status()),
    }),
  ];
}

export function toEngineGet(info: EngineInfo, { stats, isReady, since, reason, history }: EngineStatus): EngineGet {
  const cells = stats?.cacheCells ?? info.cacheCells;
  return {
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
  };
}
