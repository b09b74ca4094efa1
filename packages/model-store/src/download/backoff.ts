import { ModelStoreError } from '../model-store-error.ts';
import type { Clock } from './clock.ts';

/** A failure that may not occur again: a cut connection, an overloaded server. */
export class TransientError extends Error {
  override readonly name = 'TransientError';
  /** The pause that the server asked for; null: it did not. */
  readonly retryAfterMs: number | null;

  constructor(message: string, options: ErrorOptions & { readonly retryAfterMs?: number } = {}) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs ?? null;
  }
}

/** Consecutive failures after which a request is given up. Pauses double from one second, so that they last four minutes. */
const MAX_FAILURES = 9;
/** A server that asks for pauses is at work: it may ask more often. */
const MAX_PAUSES = 60;
const FIRST_DELAY_MS = 1000;
const MAX_DELAY_MS = 60_000;
const MAX_RETRY_AFTER_MS = 3_600_000;

export interface BackoffOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Names the request in errors. */
  readonly what: string;
  /** Called before each pause. */
  readonly onWait: (reason: string, ms: number) => void;
}

/** Counts the consecutive failures of one request, and waits longer after each. */
export class Backoff {
  readonly #options: BackoffOptions;
  #failures = 0;
  #pauses = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** A byte has arrived. */
  succeeded(): void {
    this.#failures = 0;
    this.#pauses = 0;
  }

  /** Wait before the next try. Throws `connection_failed` when there have been too many, and any other error at once. */
  async failed(error: unknown): Promise<void> {
    const { clock, signal, what, onWait } = this.#options;
    if (!(error instanceof TransientError)) throw error;
    const { retryAfterMs } = error;
    if (retryAfterMs === null) this.#failures++;
    else this.#pauses++;
    if (this.#failures >= MAX_FAILURES || this.#pauses >= MAX_PAUSES || (retryAfterMs ?? 0) > MAX_RETRY_AFTER_MS) {
      throw new ModelStoreError(
        'connection_failed',
        `${what}: ${error.message}, after ${this.#failures + this.#pauses} tries; repeat the command later, which goes on where it stopped`,
        { cause: error },
      );
    }
    // Half of the pause is random, so that connections that were cut together do not return together.
    const ms =
      retryAfterMs ?? Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (this.#failures - 1)) * (0.5 + Math.random() / 2);
    onWait(error.message, ms);
    await clock.sleep(ms, signal);
  }
}

/** Repeat `attempt` until it succeeds, as {@link Backoff} allows. */
export async function retrying<Result>(options: BackoffOptions, attempt: () => Promise<Result>): Promise<Result> {
  const backoff = new Backoff(options);
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      await backoff.failed(error);
    }
  }
}
