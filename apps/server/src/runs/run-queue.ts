/**
 * Runs that were accepted, in this process's memory: at most `running` at a time, at most `waiting` behind them.
 *
 * A place is reserved before anything is stored, so a full queue refuses without a trace. From `close` on no place is
 * given; `drained` resolves when every place given is free again.
 */
import { ApiError } from '@gptj-cloud/protocol';

export interface RunQueueLimits {
  readonly running: number;
  readonly waiting: number;
}

/** A place in the queue. Use it once: `start` or `giveUp`. */
export interface QueuePlace {
  /** Wait for a turn, do the work, free the place. */
  start<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Free the place unused. */
  giveUp(): void;
}

export interface RunQueue {
  /** Throws `too_many_runs` when full, `shutting_down` after `close`. */
  reserve(): QueuePlace;
  /** Runs that have a place: running, waiting, or about to be stored. */
  readonly size: number;
  close(): void;
  readonly drained: Promise<void>;
}

const RETRY_SECONDS = 5;

export function createRunQueue(limits: RunQueueLimits): RunQueue {
  const turns: (() => void)[] = [];
  let places = 0;
  let running = 0;
  let closed = false;
  let resolveDrained: () => void;
  const drained = new Promise<void>((resolve) => {
    resolveDrained = resolve;
  });

  const free = (): void => {
    places--;
    if (closed && places === 0) resolveDrained();
  };
  const turn = async (): Promise<void> => {
    if (running < limits.running) running++;
    else await new Promise<void>((resolve) => turns.push(resolve));
  };
  const pass = (): void => {
    const next = turns.shift();
    // The turn goes over without `running` ever dropping: no newcomer slips in between.
    if (next === undefined) running--;
    else next();
  };

  return {
    reserve() {
      if (closed) throw new ApiError('shutting_down', {}, { retryAfterSeconds: RETRY_SECONDS });
      const most = limits.running + limits.waiting;
      if (places >= most) {
        throw new ApiError(
          'too_many_runs',
          { waiting: places - limits.running, limit: limits.waiting },
          { retryAfterSeconds: RETRY_SECONDS },
        );
      }
      places++;
      return {
        giveUp: free,
        async start(work) {
          await turn();
          try {
            return await work();
          } finally {
            pass();
            free();
          }
        },
      };
    },
    get size() {
      return places;
    },
    close() {
      closed = true;
      if (places === 0) resolveDrained();
    },
    drained,
  };
}
