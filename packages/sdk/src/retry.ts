/** Decides when a request is retried, and after which delay. */
import { ConnectionFailedError, PipelineApiError, RateLimitedError, ServerError } from './errors.ts';

/** Delays are random between 0 and a limit, so that clients spread out. The limit doubles from this value to the maximum. */
const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 8_000;
/** A request is not retried when Retry-After is longer than this: the caller receives the error. */
const MAX_RETRY_AFTER_MS = 60_000;

/** A request that failed and will be sent again. */
export interface RetryNotice {
  readonly error: PipelineApiError;
  /** The time until it is sent again. */
  readonly waitMs: number;
  /** The number of the coming retry, from 1. */
  readonly retry: number;
  readonly maxRetries: number;
}

export interface RetryOptions {
  /** Maximum number of retries. */
  readonly maxRetries: number;
  readonly onRetry: (notice: RetryNotice) => void;
  readonly signal?: AbortSignal | undefined;
}

/** The value of `attempt`, which receives the number of earlier attempts and the error of the last one. */
export async function withRetries<Value>(
  { maxRetries, onRetry, signal }: RetryOptions,
  attempt: (count: number, last: unknown) => Promise<Value>,
): Promise<Value> {
  let last: unknown;
  for (let count = 0; ; count++) {
    try {
      return await attempt(count, last);
    } catch (error) {
      last = error;
      const waitMs = count < maxRetries && !signal?.aborted ? retryWaitMs(error, count, Math.random()) : null;
      if (waitMs === null || !(error instanceof PipelineApiError)) throw error;
      onRetry({ error, waitMs, retry: count + 1, maxRetries });
      await pause(waitMs, signal);
    }
  }
}

/**
 * The delay before the next attempt after `count` earlier ones, or null for errors that are not retried: only 429, 503 and a
 * broken connection are transient. `draw` is uniform in [0, 1).
 */
export function retryWaitMs(error: unknown, count: number, draw: number): number | null {
  const isTransient =
    error instanceof ConnectionFailedError ||
    error instanceof RateLimitedError ||
    (error instanceof ServerError && error.status === 503);
  if (!isTransient) return null;
  const backoffMs = draw * Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** count);
  const requestedMs = error instanceof PipelineApiError ? retryAfterOf(error) : null;
  if (requestedMs === null) return backoffMs;
  // Every client received the same Retry-After: up to a tenth more spreads them out.
  return requestedMs > MAX_RETRY_AFTER_MS ? null : requestedMs * (1 + draw / 10);
}

/** Wait. Rejects with the signal's reason when it aborts. */
export function pause(waitMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, waitMs);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

function retryAfterOf(error: PipelineApiError): number | null {
  return error instanceof RateLimitedError || error instanceof ServerError ? error.retryAfterMs : null;
}
