/** When a request is sent again, and how long to wait before. */
import { ConnectionFailedError, PipelineApiError, RateLimitedError, ServerError } from './errors.ts';

/** Waits double from here on, up to the cap; each is drawn between nothing and that much, so that clients spread out. */
const FIRST_WAIT_MS = 500;
const MAX_WAIT_MS = 8_000;
/** A server that asks for a longer pause than this gets no repetition: its error is the caller's to act on. */
export const MAX_RETRY_AFTER_MS = 60_000;

export interface RetryOptions {
  /** Repetitions at most. */
  readonly maxRetries: number;
  readonly signal?: AbortSignal | undefined;
}

/** The value of `attempt`, which is told how many attempts there were before and how the last one failed. */
export async function withRetries<Value>(
  { maxRetries, signal }: RetryOptions,
  attempt: (count: number, last: unknown) => Promise<Value>,
): Promise<Value> {
  let last: unknown;
  for (let count = 0; ; count++) {
    try {
      return await attempt(count, last);
    } catch (error) {
      last = error;
      const waitMs = count < maxRetries && !signal?.aborted ? retryWaitMs(error, count, Math.random()) : null;
      if (waitMs === null) throw error;
      await pause(waitMs, signal);
    }
  }
}

/**
 * How long to wait after the failure of attempt `count` (from 0), or null for failures that stay: only 429, 503 and a
 * broken connection go away by themselves. `draw` is uniform in [0, 1).
 */
export function retryWaitMs(error: unknown, count: number, draw: number): number | null {
  const mayPass =
    error instanceof ConnectionFailedError ||
    error instanceof RateLimitedError ||
    (error instanceof ServerError && error.status === 503);
  if (!mayPass) return null;
  const backoffMs = draw * Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** count);
  const askedMs = error instanceof PipelineApiError ? retryAfterOf(error) : null;
  if (askedMs === null) return backoffMs;
  // Everybody was told the same moment: come at it or up to a tenth later.
  return askedMs > MAX_RETRY_AFTER_MS ? null : askedMs * (1 + draw / 10);
}

/** Rejects with the signal's reason. */
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
