import { ApiError, isTerminal, type RunGet } from '@gptj-cloud/protocol';
import type { Database } from '../store/db.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { AcceptedRuns } from './accepted-runs.ts';
import { isFollowedElsewhere } from './nodes/follower-store.ts';
import { findRunPlaces } from './nodes/node-store.ts';
import type { RunFollower } from './nodes/run-follower.ts';
import { countReader } from './nodes/run-followers.ts';
import type { ProjectFeed } from './project-feed.ts';
import type { EventReader, RunEvents } from './run-events.ts';
import { CANCELLED } from './run-failure.ts';
import { requestCancel } from './run-lease-store.ts';
import type { RunLedger } from './run-ledger.ts';
import type { RunQueries } from './run-queries.ts';
import { deleteRun } from './run-store.ts';
import type { RunWaiters } from './run-waiters.ts';
import type { RunWorker } from './run-worker.ts';

export interface RunCommandsDeps {
  readonly db: Database;
  readonly clock: () => Date;
  readonly logger: Logger;
  readonly ownsStore: boolean;
  readonly ledger: RunLedger;
  readonly worker: RunWorker;
  readonly events: RunEvents;
  readonly waiters: RunWaiters;
  readonly queries: RunQueries;
  readonly feed: Pick<ProjectFeed, 'changed'>;
  readonly follower: RunFollower;
  readonly accepted: Pick<AcceptedRuns, 'prepared'>;
}

/** Operations on an accepted run: reading its events, cancelling, deleting. */
export interface RunCommands {
  /**
   * The events of a run after the event with id `after`, from the node that executes it; where they are not kept, the event
   * of its end alone. Throws `not_found`.
   */
  events(projectId: string, id: string, after: string | null): Promise<EventReader>;
  /** The events that this node keeps of a run, for another node. Throws `not_found`. */
  eventsHere(projectId: string, id: string, after: string | null): Promise<EventReader | 'not_kept' | 'not_yet'>;
  /** End a run as failed, whichever process executes it. A run that has ended stays as it is. */
  cancel(projectId: string, id: string): Promise<RunGet>;
  /**
   * Called when the reader of a stream disconnects: cancels the run unless it is asynchronous or has other readers, at any server.
   * Returns immediately; if the cancellation fails, the run continues and the reason is logged.
   */
  abandon(projectId: string, id: string): void;
  /** Delete a run, its result, and its data unless another run uses them. Throws `run_not_ended`. */
  remove(projectId: string, id: string): Promise<void>;
}

export function createRunCommands(deps: RunCommandsDeps): RunCommands {
  const { db, clock, logger, ledger, worker, events, waiters, queries, feed, follower } = deps;

  const cancel = async (projectId: string, id: string): Promise<RunGet> => {
    const run = await queries.read(projectId, id);
    if (isTerminal(run.state)) return queries.toGet(run);
    // The process that executes it ends it, because only that process knows the cost.
    const isRequested = worker.abort(id, 'cancelled') || (!deps.ownsStore && (await requestCancel(db, id, clock())));
    if (!isRequested) {
      const ender = { runId: id, projectId, owner: null, endedAt: clock() };
      await ledger.recordEnd({
        ender,
        ticket: run.admissionTicket,
        cost: null,
        execution: null,
        end: { failure: CANCELLED },
      });
      worker.recordEnd(id);
    }
    return await waiters.waitUntilEnded(projectId, id);
  };
  const cancelAbandoned = async (projectId: string, id: string): Promise<void> => {
    try {
      const run = await queries.read(projectId, id);
      if (run.isAsync || isTerminal(run.state)) return;
      if (!deps.ownsStore && (await isFollowedElsewhere(db, id))) return;
      await cancel(projectId, id);
    } catch (error) {
      logger.error('abandoned run could not be cancelled and continues', { run_id: id, error });
    }
  };

  return {
    cancel,
    async events(projectId, id, after) {
      const run = await queries.read(projectId, id);
      const reader = follower.follow(projectId, id, after);
      const mayBeAbandoned = !run.isAsync && !isTerminal(run.state);
      if (deps.ownsStore || !mayBeAbandoned || deps.accepted.prepared(id) !== null) return reader;
      return await countReader(db, logger, id, reader);
    },
    async eventsHere(projectId, id, after) {
      await queries.read(projectId, id);
      const [place] = await findRunPlaces(db, [id]);
      const reader = events.read(id, after);
      if (reader !== null) return reader;
      const isExpected = place?.isLogged === true && !place.hasEnded;
      return isExpected ? 'not_yet' : 'not_kept';
    },
    abandon(projectId, id) {
      if (events.readers(id) === 0 && follower.readers(id) === 0) void cancelAbandoned(projectId, id);
    },
    async remove(projectId, id) {
      const run = await queries.read(projectId, id);
      if (!isTerminal(run.state)) throw new ApiError('run_not_ended', { id });
      await db.transaction((tx) => deleteRun(tx, run));
      feed.changed({ projectId, id });
    },
  };
}
