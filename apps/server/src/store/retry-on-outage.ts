import { setTimeout as sleep } from 'node:timers/promises';
import { isOutage } from './store-outage.ts';

export interface RetryOnOutageOptions {
  /** How long an outage is waited for. Default one minute: longer than a restart of PostgreSQL. */
  readonly forMs?: number;
  /** Asked before each repetition; false: the outage is thrown. */
  readonly mayRetry?: () => boolean;
}

const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 2_000;

/** Repeat work that an outage of the store fails, until it succeeds, fails otherwise, or the time is over. */
export async function retryOnOutage<Result>(
  work: () => Promise<Result>,
  { forMs = 60_000, mayRetry = () => true }: RetryOnOutageOptions = {},
): Promise<Result> {
  const endsAt = performance.now() + forMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
    try {
      return await work();
    } catch (error) {
      if (!isOutage(error) || !mayRetry() || performance.now() + pauseMs > endsAt) throw error;
      await sleep(pauseMs);
    }
  }
}
