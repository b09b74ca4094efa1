import { randomInt } from 'node:crypto';
import { ApiError } from '@gptj-cloud/protocol';
import type { Logger } from '../telemetry/logger.ts';

/** Does work of a request after its reply, so that the time of the reply does not reveal what there was to do. */
export interface AfterReply {
  /** Add work. The promise resolves when the reply may be sent: at once, not after the work. Throws `server_busy`. */
  add(work: () => Promise<void>): Promise<void>;
  /** Do the work that waits, now, and wait for its end. Idempotent. */
  close(): Promise<void>;
}

/** Work that waits; requests beyond it are refused. */
const MAX_WAITING = 500;
const RETRY_AFTER_SECONDS = 5;
const MAX_DELAY_MS = 1000;

/**
 * Work begins after a random delay, so that the time of the next request does not reveal it either; one at a time. Failures
 * are logged: there is no reply left to report them.
 */
export function createAfterReply(logger: Logger, delayMs: () => number = () => randomInt(MAX_DELAY_MS)): AfterReply {
  const pending = new Set<Promise<void>>();
  const timers = new Map<NodeJS.Timeout, () => void>();
  let last: Promise<void> = Promise.resolve();
  const delay = (): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => {
        timers.delete(timer);
        resolve();
      }, delayMs());
      timers.set(timer, resolve);
    });
  const next = (work: () => Promise<void>): Promise<void> => {
    last = last.then(work).catch((error: unknown) => logger.error('work after a reply failed', { error }));
    return last;
  };
  return {
    async add(work) {
      if (pending.size >= MAX_WAITING) {
        throw new ApiError('server_busy', {}, { retryAfterSeconds: RETRY_AFTER_SECONDS });
      }
      const done = delay()
        .then(() => next(work))
        .finally(() => pending.delete(done));
      pending.add(done);
    },
    async close() {
      for (const [timer, begin] of timers) {
        clearTimeout(timer);
        begin();
      }
      timers.clear();
      await Promise.all(pending);
    },
  };
}
