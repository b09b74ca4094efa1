import { setTimeout as delay } from 'node:timers/promises';

/** Time as downloads use it; tests replace it. */
export interface Clock {
  /** Resolves after the time. Rejects when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Calls `act` after the time; the result cancels it. */
  readonly after: (ms: number, act: () => void) => () => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export const SYSTEM_CLOCK: Clock = {
  sleep: async (ms, signal) => {
    await delay(ms, undefined, { signal });
  },
  after: (ms, act) => {
    const timer = setTimeout(act, ms);
    return () => clearTimeout(timer);
  },
  now: () => Date.now(),
};
