/**
 * Pipelines that runs wait for and that no living server has: a model that is served no longer, or settings that changed. The
 * elected server of a store looks; after `UNSERVED_MS` without a server for them it claims their runs, which then fail for
 * their unknown pipeline in place of waiting for ever. A server that starts within that time, as in an update, executes them.
 */
import { pipelineOf } from '../generation/pipelines/pipeline-identity.ts';

export interface UnservedPipelinesDeps {
  readonly isElected: () => Promise<boolean>;
  /** Pipelines that runs wait for. */
  readonly findWaiting: () => Promise<readonly string[]>;
  /** Names of the models of each living server; none where it is of a version that does not report them. */
  readonly findModels: () => Promise<readonly (readonly string[])[]>;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

export interface UnservedPipelines {
  /** Those without a server for `UNSERVED_MS`, as this server has seen. */
  readonly ids: readonly string[];
  /** Look again. */
  look(): Promise<void>;
}

/** Longer than a server takes to start and to load a large model. */
const UNSERVED_MS = 600_000;

export function createUnservedPipelines(deps: UnservedPipelinesDeps): UnservedPipelines {
  /** Since when each has no server. */
  let since = new Map<string, number>();
  return {
    get ids() {
      return [...since].filter(([, from]) => deps.now() - from >= UNSERVED_MS).map(([id]) => id);
    },
    async look() {
      const isElected = await deps.isElected();
      const servers = isElected ? await deps.findModels() : [];
      if (!isElected || servers.some((models) => models.length === 0)) {
        since = new Map();
        return;
      }
      // Which of its models is a server's first is not known: both pipelines of a name count as served.
      const served = new Set(servers.flat().flatMap((name) => [pipelineOf(name, true).id, pipelineOf(name, false).id]));
      const unserved = (await deps.findWaiting()).filter((id) => !served.has(id));
      since = new Map(unserved.map((id) => [id, since.get(id) ?? deps.now()]));
    },
  };
}
