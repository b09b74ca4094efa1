import { ApiError, type PipelineGet } from '@gptj-cloud/protocol';
import { type Pipeline, toPipelineGet } from './pipeline.ts';

/** The pipelines this server runs. */
export interface PipelineRegistry {
  readonly ids: readonly string[];
  /** By id or built-in tag; null when there is none. */
  get(idOrTag: string): Pipeline | null;
  /** By id or built-in tag. Throws `pipeline_unknown`. */
  find(idOrTag: string): Pipeline;
  /** Also for the pipeline of an old run that this version no longer has. */
  describe(id: string): PipelineGet;
}

export function createPipelineRegistry(pipelines: readonly Pipeline[]): PipelineRegistry {
  const byName = new Map<string, Pipeline>();
  for (const pipeline of pipelines) {
    for (const name of [pipeline.id, ...pipeline.tags]) {
      if (byName.has(name)) throw new Error(`expected unique names of pipelines, got ${name} twice`);
      byName.set(name, pipeline);
    }
  }
  const ids = pipelines.map((pipeline) => pipeline.id);
  return {
    ids,
    get: (idOrTag) => byName.get(idOrTag) ?? null,
    find(idOrTag) {
      const pipeline = byName.get(idOrTag);
      if (pipeline === undefined) {
        throw new ApiError('pipeline_unknown', { id: idOrTag.slice(0, 100), known: ids.join(', ') });
      }
      return pipeline;
    },
    describe(id) {
      return toPipelineGet(byName.get(id) ?? { id, name: id, description: 'no longer here', tags: [] });
    },
  };
}
