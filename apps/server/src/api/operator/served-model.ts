import { type EngineGet, type ServedModelGet, toTimestamp } from '@gptj-cloud/protocol';
import type { ModelService } from '../../generation/model-service.ts';

/** How the API shows a served model before its caller is known. */
export function toServedModel({ model, pipeline, hosted }: ModelService): ServedModelGet {
  const status = hosted?.status();
  return {
    name: model.info.modelName,
    pipeline_id: pipeline.id,
    context: model.info.config.contextLength,
    state: status?.state ?? 'loaded',
    progress: status?.progress ?? null,
  };
}

/** The same with its place in memory. */
export function toHostedModel(service: ModelService): EngineGet['models'][number] {
  const status = service.hosted?.status();
  return {
    ...toServedModel(service),
    quantisation: service.model.info.quantisation,
    since: status === undefined ? null : toTimestamp(status.since),
    // The cause may name files of the server.
    reason: status?.state === 'failed' ? 'it could not be loaded' : null,
    planned_bytes: status === undefined ? null : Math.round(status.bytes),
    running: status?.running ?? null,
    waiting: status?.waiting ?? null,
  };
}
