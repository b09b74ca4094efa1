/**
 * Queues that no living server takes runs of: of a model that is served no longer, of settings that changed, or with a need that
 * none of the servers with the model has. The elected server of a store looks; after `UNSERVED_MS` without a server for them it
 * claims their runs, which then fail for their unknown pipeline, or the parameters that are not honoured, in place of waiting for
 * ever. A server that starts within that time, as in an update, executes them.
 */
import { pipelineOf } from '../generation/pipelines/pipeline-identity.ts';
import { canCompute, isServing, type LivingNode } from './nodes/node-store.ts';
import { splitQueue } from './run-claim-store.ts';

export interface UnservedPipelinesDeps {
  readonly isElected: () => Promise<boolean>;
  /** Queues that have runs. */
  readonly findWaiting: () => Promise<readonly string[]>;
  readonly findServers: () => Promise<readonly LivingNode[]>;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

export interface UnservedPipelines {
  /** Those without a server for `UNSERVED_MS`, as this server has seen. */
  readonly ids: readonly string[];
  /** Look again. */
  look(): Promise<void>;
}

/** Runs with a need wait where no server has the model, as others do: one that has the need may be starting, too. */
function isServed(queue: string, servers: readonly LivingNode[]): boolean {
  const { pipelineId, capability } = splitQueue(queue);
  // Which of its models is a server's first is not known: both pipelines of a name count as served.
  const names = servers
    .flatMap(({ models }) => models)
    .filter((name) => [true, false].some((isFirst) => pipelineOf(name, isFirst).id === pipelineId));
  if (capability === null || names.length === 0) return names.length > 0;
  return names.some(
    (name) =>
      !servers.some((server) => isServing(server, name)) ||
      servers.some((server) => canCompute(server, name, capability)),
  );
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
      const servers = isElected ? await deps.findServers() : [];
      // One of a version that does not report its models may have any.
      if (!isElected || servers.some(({ models }) => models.length === 0)) {
        since = new Map();
        return;
      }
      const unserved = (await deps.findWaiting()).filter((name) => !isServed(name, servers));
      since = new Map(unserved.map((id) => [id, since.get(id) ?? deps.now()]));
    },
  };
}
