import type { GenerationEvent } from '@gptj-cloud/engine';
import type { RunWaits } from './run.ts';

/** Measures how long a run waits for its first evaluation and its first token, from its acceptance on. */
export interface RunWatch {
  /** An attempt begins: the times of an earlier one do not count. */
  begin(): void;
  record(event: GenerationEvent): void;
  /** Null: the attempt has not come to an evaluation. */
  readonly waits: RunWaits | null;
}

/** Whole milliseconds, as the store keeps them: at most 24 days. */
function wholeMs(ms: number): number {
  return Math.max(0, Math.min(2 ** 31 - 1, Math.round(ms)));
}

/**
 * @param waitedMs from the acceptance until now
 * @param now milliseconds, monotonic
 */
export function createRunWatch(waitedMs: number, now: () => number): RunWatch {
  const acceptedAt = now() - waitedMs;
  let beganMs = waitedMs;
  let waits: RunWaits | null = null;
  return {
    get waits() {
      if (waits === null) return null;
      const { queuedMs, firstTokenMs } = waits;
      return { queuedMs: wholeMs(queuedMs), firstTokenMs: firstTokenMs === null ? null : wholeMs(firstTokenMs) };
    },
    begin() {
      beganMs = now() - acceptedAt;
      waits = null;
    },
    record(event) {
      const sinceMs = now() - acceptedAt;
      waits ??= { queuedMs: sinceMs, firstTokenMs: null };
      if (event.type === 'tokens' && waits.firstTokenMs === null) {
        // Events may come together: the engine's own time is exact.
        waits = { ...waits, firstTokenMs: event.atMs === undefined ? sinceMs : beganMs + event.atMs };
      }
      if (event.type === 'finished') waits = { ...waits, queuedMs: beganMs + event.usage.queueMs };
    },
  };
}
