import { isTerminal, type RunEvent, type RunGet } from '@gptj-cloud/protocol';
import type { Logger } from '../telemetry/logger.ts';
import type { AcceptedRuns } from './accepted-runs.ts';
import type { EndedRun } from './run-end.ts';
import type { RunEvents } from './run-events.ts';
import type { RunQueries } from './run-queries.ts';
import type { RunWorker } from './run-worker.ts';

export interface RunWaitersDeps {
  readonly queries: RunQueries;
  readonly accepted: AcceptedRuns;
  readonly events: RunEvents;
  readonly worker: () => Pick<RunWorker, 'watch' | 'unwatch' | 'stopped'>;
  readonly logger: Logger;
  /** No other process uses the store. */
  readonly ownsStore: boolean;
}

/** The end that a caller waits for. */
export interface AwaitedEnd {
  readonly end: Promise<RunGet>;
  /** Wait no longer; `end` then stays pending. Idempotent. */
  readonly cancel: () => void;
}

/** Callers that wait for the end of a run, whichever process executes it. */
export interface RunWaiters {
  /** Wait for a future end; an end before this call is not reported. */
  waitForNextEnd(projectId: string, id: string): AwaitedEnd;
  /** Resolves to the run when it has ended, immediately if it has already. Rejects with `not_found`, or when the store fails. */
  waitUntilEnded(projectId: string, id: string): Promise<RunGet>;
  /** Called when the worker has finished a run: passes the end to its waiters and to the readers of its events. */
  onRunEnded(run: EndedRun): void;
  /** Resolves when every end that was reported has been passed on. */
  passedOn(): Promise<void>;
}

interface Waiter {
  readonly resolve: (run: RunGet) => void;
  readonly reject: (error: unknown) => void;
}

/** Ends a log that lacks events of the run: readers look for the log of another process. */
const GOES_ON: RunEvent = {
  type: 'error',
  code: 'stream_ended',
  message: 'this stream has ended; the run continues: poll it by its id',
};

export function createRunWaiters(deps: RunWaitersDeps): RunWaiters {
  const { queries, accepted, events, worker, logger, ownsStore } = deps;
  const waiters = new Map<string, Set<Waiter>>();
  const underWay = new Set<Promise<void>>();

  const resolveWaiters = async ({ id, projectId, endedHere }: EndedRun): Promise<void> => {
    const known = accepted.take(id);
    const waiting = waiters.get(id) ?? new Set();
    waiters.delete(id);
    const isComplete = endedHere || ownsStore;
    if (!isComplete) {
      // Before the store is asked: this process may claim the run again meanwhile, and the next execution has a log of its own.
      events.publish(id, GOES_ON);
      events.end(id);
    }
    if (waiting.size === 0 && !events.isOpen(id)) return;
    try {
      const run = known === null ? await queries.get(projectId, id) : queries.toGet(known);
      const hasEnded = isTerminal(run.run_state);
      if (isComplete) {
        events.publish(id, hasEnded ? { type: 'run', run } : GOES_ON);
        events.end(id);
      }
      if (!hasEnded && !worker().stopped && waiting.size > 0) {
        // Another process executes it now.
        waiters.set(id, new Set([...(waiters.get(id) ?? []), ...waiting]));
        worker().watch({ id, projectId });
        return;
      }
      for (const { resolve } of waiting) resolve(run);
    } catch (error) {
      logger.error('end of a run could not be read', { run_id: id, error });
      if (isComplete) events.end(id);
      for (const { reject } of waiting) reject(error);
    }
  };

  const waitForNextEnd = (projectId: string, id: string): AwaitedEnd => {
    worker().watch({ id, projectId });
    let cancel = (): void => {};
    const end = new Promise<RunGet>((resolve, reject) => {
      const waiter: Waiter = { resolve, reject };
      const waiting = waiters.get(id) ?? new Set();
      waiters.set(id, waiting.add(waiter));
      cancel = () => {
        waiting.delete(waiter);
        if (waiting.size > 0 || waiters.get(id) !== waiting) return;
        waiters.delete(id);
        worker().unwatch(id);
      };
    });
    // Its caller may have left; `resolveWaiters` has logged the failure.
    end.catch(() => undefined);
    return { end, cancel };
  };

  return {
    waitForNextEnd,
    async waitUntilEnded(projectId, id) {
      // Register before reading, so that an end in between is not missed.
      const { end, cancel } = waitForNextEnd(projectId, id);
      try {
        const run = await queries.get(projectId, id);
        if (!isTerminal(run.run_state)) return await end;
        cancel();
        return run;
      } catch (error) {
        cancel();
        throw error;
      }
    },
    onRunEnded(run) {
      const passing = resolveWaiters(run).finally(() => underWay.delete(passing));
      underWay.add(passing);
    },
    async passedOn() {
      await Promise.all(underWay);
    },
  };
}
