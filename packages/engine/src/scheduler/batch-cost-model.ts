/**
 * How long evaluations take, and from that how many prompt tokens may ride along with others' decoding steps: a long
 * prompt must not stall the streams of those who are already reading.
 */
import type { Step } from '@gptj-cloud/model';
import { EvaluationCounts } from '../engine-stats.ts';
import { KERNEL_TOKENS } from '../kernel-tokens.ts';

/** A step beside a prompt may take this many times what it takes alone … */
const STALL_FACTOR = 3;
/** … or this long, whichever is more: nobody reads faster. */
const STALL_MS = 150;
const MIN_PREFILL_TOKENS = 16;
const MAX_PREFILL_TOKENS = 512;
/** Share of agreeing tokens from which a draft is two kernels' tokens long instead of one's. */
const TRUSTED_ACCEPTANCE = 0.75;
/** What a draft is expected to save must exceed what it costs by this. */
const DRAFT_MARGIN = 1.15;
/** Weight of the newest measurement. */
const SMOOTHING = 0.2;

export class BatchCostModel {
  readonly #now: () => number;
  /** Milliseconds of an evaluation of decoding steps alone; null before the first. */
  #decodeMs: number | null = null;
  /** Steps in those evaluations. */
  #decodeRows = 1;
  /** Milliseconds per token of large evaluations; null before the first. */
  #tokenMs: number | null = null;
  /** Everything measured. */
  readonly counts: EvaluationCounts = new EvaluationCounts();

  /** @param now milliseconds, monotonic */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Prompt tokens for the next evaluation that also has decoding steps. */
  get prefillTokens(): number {
    if (this.#tokenMs === null) return 4 * MIN_PREFILL_TOKENS;
    const allowedMs = Math.max(STALL_MS, (STALL_FACTOR - 1) * (this.#decodeMs ?? 0));
    return Math.max(MIN_PREFILL_TOKENS, Math.min(MAX_PREFILL_TOKENS, Math.floor(allowedMs / this.#tokenMs)));
  }

  /**
   * Tokens worth drafting for a run whose drafts agree with this share, next to `rows` decoding steps. A drafted token
   * costs what one more token in a batch costs; one that agrees saves that and its share of what every batch costs.
   */
  draftTokens(acceptance: number, rows: number): number {
    if (this.#tokenMs === null || this.#decodeMs === null) return 0;
    const batchMs = Math.max(0, this.#decodeMs - this.#decodeRows * this.#tokenMs);
    const saved = acceptance * (this.#tokenMs + batchMs / Math.max(1, rows));
    if (saved <= DRAFT_MARGIN * this.#tokenMs) return 0;
    const max = acceptance > TRUSTED_ACCEPTANCE ? 2 * KERNEL_TOKENS : KERNEL_TOKENS;
    return max - (rows % KERNEL_TOKENS);
  }

  /** Run and measure one evaluation. One that fails is not measured. */
  async time<T>(steps: readonly Step[], evaluate: () => Promise<T>): Promise<T> {
    const startedAt = this.#now();
    const results = await evaluate();
    const elapsed = this.#now() - startedAt;
    const tokens = steps.reduce((sum, step) => sum + step.tokens.length, 0);
    this.counts.add(tokens, elapsed);
    if (tokens === steps.length) {
      this.#decodeMs = blend(this.#decodeMs, elapsed);
      this.#decodeRows = blend(this.#decodeRows, tokens);
    } else if (tokens >= 2 * MIN_PREFILL_TOKENS) {
      this.#tokenMs = blend(this.#tokenMs, elapsed / tokens);
    }
    return results;
  }
}

function blend(old: number | null, measured: number): number {
  return old === null ? measured : old + SMOOTHING * (measured - old);
}
