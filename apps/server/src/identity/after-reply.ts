import { ApiError } from '@gptj-cloud/protocol';
import type { Logger } from '../telemetry/logger.ts';

/** Does work of a request after its reply, so that the time of the reply does not reveal what there was to do. */
export interface AfterReply {
  /** Add work. The promise resolves when the reply may be sent: at once, not after the work. Throws `server_busy`. */
  add(work: () => Promise<void>): Promise<void>;
  /** Wait for the work that was added. Idempotent. */
  close(): Promise<void>;
}

/** Work that waits; requests beyond it are refused. */
const MAX_WAITING = 500;

/** One work at a time, in order. Failures are logged: there is no reply left to report them. */
export function createAfterReply(logger: Logger): AfterReply {
  let waiting = 0;
  let last: Promise<void> = Promise.resolve();
  return {
    async add(work) {
      if (waiting >= MAX_WAITING) throw new ApiError('server_busy');
      waiting++;
      // A later turn of the event loop: the reply is written first.
      const turn = last.then(() => new Promise<void>((resolve) => setImmediate(resolve)));
      last = turn.then(work).catch((error: unknown) => logger.error('work after a reply failed', { error }));
      void last.then(() => waiting--);
    },
    close: () => last,
  };
}
