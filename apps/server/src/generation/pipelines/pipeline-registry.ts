import { ApiError, type PipelineGet } from '@gptj-cloud/protocol';
import { type Pipeline, toPipelineGet } from './pipeline.ts';

/** The pipelines this server runs: they come and go with their models. */
export interface PipelineRegistry {
  readonly ids: readonly string[];
  /** By id or built-in tag; null when there is none. */
  get(idOrTag: string): Pipeline | null;
  /** By id or built-in tag. Throws `pipeline_unknown`. */
  find(idOrTag: string): Pipeline;
  /** Also for the pipeline of an old run that this version no longer has. */
  describe(id: string): PipelineGet;
  /** Throws for an id or a tag that another one has. */
  add(pipeline: Pipeline): void;
  remove(id: string): void;
}

export function createPipelineRegistry(pipelines: readonly Pipeline[]): PipelineRegistry {
  const byName = new Map<string, Pipeline>();
  let ids: readonly string[] = [];
  const add = (pipeline: Pipeline): void => {
    const names = [pipeline.id, ...pipeline.tags];
    const taken = names.find((name) => byName.has(name));
    if (taken !== undefined) throw new Error(`expected unique names of pipelines, got ${taken} twice`);
    for (const name of names) byName.set(name, pipeline);
    ids = [...ids, pipeline.id];
  };
  for (const pipeline of pipelines) add(pipeline);
  return {
    get ids() {
      return ids;
    },
    add,
    remove(id) {
      for (const [name, pipeline] of [...byName]) if (pipeline.id === id) byName.delete(name);
      ids = ids.filter((each) => each !== id);
    },
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
