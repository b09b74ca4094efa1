import { ModelStoreError } from '../model-store-error.ts';
import { TransientError } from './backoff.ts';
import type { Clock } from './clock.ts';

/** A connection without a byte for this long counts as dead. */
const STALL_MS = 30_000;

/**
 * What ends one request: the caller's signal, or a server that is silent. Every wait for the server is raced against both:
 * with the signal given to `fetch` alone, one of five runs of the tests on a busy machine never ended on Node 20.
 */
export class Connection {
  readonly #clock: Clock;
  readonly #host: string;
  readonly #signal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #onAbort = (): void =>
    this.#end(new ModelStoreError('aborted', 'the download was stopped', { cause: this.#signal.reason }));
  /** Why it has ended. */
  #reason: Error | null = null;
  #rejectWait: ((reason: Error) => void) | null = null;

  constructor(clock: Clock, host: string, signal: AbortSignal) {
    this.#clock = clock;
    this.#host = host;
    this.#signal = signal;
    signal.addEventListener('abort', this.#onAbort, { once: true });
    if (signal.aborted) this.#onAbort();
  }

  /** For `fetch`. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The result of something that the server sends. Throws `aborted`, or `TransientError` after `STALL_MS`. */
  async wait<Result>(start: () => Promise<Result>): Promise<Result> {
    if (this.#reason !== null) throw this.#reason;
    const cancelWatch = this.#clock.after(STALL_MS, () =>
      this.#end(new TransientError(`${this.#host} sent nothing for ${STALL_MS / 1000} seconds`)),
    );
    try {
      return await new Promise<Result>((resolve, reject) => {
        this.#rejectWait = reject;
        start().then(resolve, reject);
      });
    } catch (error) {
      throw this.#reason ?? error;
    } finally {
      this.#rejectWait = null;
      cancelWatch();
    }
  }

  /** Idempotent. */
  close(): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#controller.abort();
  }

  #end(reason: Error): void {
    this.#reason ??= reason;
    this.#rejectWait?.(this.#reason);
    this.close();
  }
}
