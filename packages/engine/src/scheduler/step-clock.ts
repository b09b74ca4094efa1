/**
 * How long evaluations take, and from that how many prompt tokens may ride along with others' decoding steps: a long
 * prompt must not stall the streams of those who are already reading.
 */
import type { Step } from '@gptj-cloud/model';

/** A step beside a prompt may take this many times what it takes alone … */
const STALL_FACTOR = 3;
/** … or this long, whichever is more: nobody reads faster. */
const STALL_MS = 150;
const LEAST_TOKENS = 16;
const MOST_TOKENS = 512;
/** Weight of the newest measurement. */
const SMOOTHING = 0.2;

export class StepClock {
  readonly #now: () => number;
  /** Milliseconds of an evaluation of decoding steps alone; null before the first. */
  #decodeMs: number | null = null;
  /** Milliseconds per token of large evaluations; null before the first. */
  #tokenMs: number | null = null;

  /** @param now milliseconds, monotonic */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Prompt tokens for the next evaluation that also has decoding steps. */
  get prefillTokens(): number {
    if (this.#tokenMs === null) return 4 * LEAST_TOKENS;
    const allowedMs = Math.max(STALL_MS, (STALL_FACTOR - 1) * (this.#decodeMs ?? 0));
    return Math.max(LEAST_TOKENS, Math.min(MOST_TOKENS, Math.floor(allowedMs / this.#tokenMs)));
  }

  /** Run and measure one evaluation. One that fails is not measured. */
  async time<T>(steps: readonly Step[], evaluate: () => Promise<T>): Promise<T> {
    const startedAt = this.#now();
    const results = await evaluate();
    const elapsed = this.#now() - startedAt;
    const tokens = steps.reduce((sum, step) => sum + step.tokens.length, 0);
    if (tokens === steps.length) this.#decodeMs = blend(this.#decodeMs, elapsed);
    else if (tokens >= 2 * LEAST_TOKENS) this.#tokenMs = blend(this.#tokenMs, elapsed / tokens);
    return results;
  }
}

function blend(old: number | null, measured: number): number {
  return old === null ? measured : old + SMOOTHING * (measured - old);
}
