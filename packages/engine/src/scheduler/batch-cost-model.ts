/**
 * Measures how long evaluations take. From that it derives how many prompt tokens one evaluation may compute beside
 * decoding steps, so that a long prompt does not stall the streams of other generations, and how many tokens are worth
 * drafting.
 *
 * Model of the cost: an evaluation takes a fixed time, the weights being read once, and a time per token. The time per
 * token is measured on evaluations with prompts, the fixed time on evaluations of decoding steps alone.
 */
import type { Step } from '@gptj-cloud/model';
import { EvaluationCounts } from '../engine-stats.ts';
import type { BatchLoad, RoundCosts } from './batch-plan.ts';
import { DecodeCost } from './decode-cost.ts';
import type { DraftCosts, DraftPlan } from './drafting/draft-costs.ts';

/** A decoding step beside a prompt may take this many times as long as alone … */
const STALL_FACTOR = 3;
/** … or this many milliseconds, whichever is longer. Text that arrives at this rate is faster than people read. */
const STALL_MS = 150;
/** … and beside a step of another tenant, this many. */
const STALL_BY_OTHERS_MS = 15;
/** Rows of one generation that take longer are evaluated in parts, so that others join between them … */
const PART_MS = 40;
/** … unless reading the weights takes up the time: a part takes at least this many times the fixed part. */
const PART_FACTOR = 3;
/** An evaluation of prompts alone takes about this long, so that generations that arrive meanwhile join soon … */
const PROMPT_MS = 100;
/** … but has this many tokens at least: from there on a token of a large model hardly takes less time in a larger one. */
const MIN_PROMPT_TOKENS = 32;
/** Prompt tokens in an evaluation while no time of a token is known. */
const FIRST_PROMPT_TOKENS = 64;
const MIN_PREFILL_TOKENS = 16;
const MAX_PREFILL_TOKENS = 512;
/** Longest draft. */
const MAX_DRAFT_TOKENS = 15;
/** A draft must raise the expected number of tokens per second by this factor: estimates are coarse. */
const DRAFT_GAIN = 1.05;
/** Assumed number of further decoding steps that take as long as the first, before any was measured. */
const FREE_STEPS = 8;
/** A part of a generation's rows has this many rows at least. */
const MIN_PART_ROWS = 8;
/** Weight of the newest measurement in the moving averages. */
const SMOOTHING = 0.2;

export class BatchCostModel implements DraftCosts, RoundCosts {
  readonly #now: () => number;
  readonly #tokensAtOnce: number;
  /** Milliseconds of an evaluation of decoding steps alone, averaged; null before the first. */
  #decodeMs: number | null = null;
  /** Milliseconds per token of evaluations with prompts, averaged; null before the first. */
  #tokenMs: number | null = null;
  readonly #decode = new DecodeCost();
  /** Totals over all measured evaluations. */
  readonly counts: EvaluationCounts = new EvaluationCounts();

  /**
   * @param now milliseconds, monotonic
   * @param tokensAtOnce as in the model's limits
   */
  constructor(now: () => number, tokensAtOnce: number) {
    this.#now = now;
    this.#tokensAtOnce = tokensAtOnce;
  }

  /**
   * Maximum number of prompt tokens in the next evaluation that also has decoding steps.
   *
   * @param tenants number of tenants with work
   */
  prefillTokens(tenants = 1): number {
    if (this.#tokenMs === null) return FIRST_PROMPT_TOKENS;
    const stallMs = tenants > 1 ? STALL_BY_OTHERS_MS : STALL_MS;
    const allowedMs = Math.max(stallMs, (STALL_FACTOR - 1) * (this.#decodeMs ?? 0));
    return Math.max(MIN_PREFILL_TOKENS, Math.min(MAX_PREFILL_TOKENS, Math.floor(allowedMs / this.#tokenMs)));
  }

  /** Maximum number of prompt tokens in the next evaluation when no generation decodes. */
  get promptTokens(): number {
    if (this.#tokenMs === null) return FIRST_PROMPT_TOKENS;
    return Math.max(MIN_PROMPT_TOKENS, Math.floor(PROMPT_MS / this.#tokenMs));
  }

  /** Milliseconds of an evaluation of decoding steps alone, averaged; null before the first. */
  get decodeMs(): number | null {
    return this.#decodeMs;
  }

  /**
   * Number of tokens worth drafting: the draft with the most expected tokens per second, over all generations in the
   * evaluation. Of a draft of k tokens, a + a² + … + aᵏ are expected to agree with acceptance a: each needs all before it.
   */
  draftTokens(plan: DraftPlan): number {
    const { acceptance, rows, runs = 1, maxTokens = MAX_DRAFT_TOKENS } = plan;
    const { tokenMs = 0, onceMs = 0, remaining = Number.POSITIVE_INFINITY } = plan;
    const msOf = (steps: number): number | null => this.#stepsMs(steps);
    const others = Math.max(runs, rows);
    const plainMs = msOf(others);
    if (plainMs === null) return 0;
    let best = 0;
    let bestRate = (DRAFT_GAIN * others) / plainMs;
    let agreeing = 0;
    for (let length = 1; length <= Math.min(maxTokens, MAX_DRAFT_TOKENS); length++) {
      agreeing += acceptance ** length;
      const steps = others + runs * length;
      if (steps % this.#tokensAtOnce !== 0) continue;
      // The cost before the first draft token, divided among the steps in which the generation's tokens come.
      const shareMs = (onceMs * (1 + agreeing)) / remaining;
      const rate = (others + runs * agreeing) / ((msOf(steps) ?? plainMs) + tokenMs * length + shareMs);
      if (rate <= bestRate) continue;
      best = length;
      bestRate = rate;
    }
    return best;
  }

  /** Number of tokens that at most double the time of an evaluation of `planned` tokens. */
  extraTokens(planned: number): number {
    const line = this.#decode.line;
    if (line !== null) {
      // Prompt tokens late in a long text take longer than decoding steps.
      const tokenMs = Math.max(line.stepMs, this.#tokenMs ?? 0);
      return Math.max(1, Math.floor((line.fixedMs + planned * line.stepMs) / tokenMs));
    }
    const plannedMs = this.#stepsMs(planned);
    if (this.#tokenMs === null || plannedMs === null) return Math.max(1, planned);
    return Math.max(1, Math.floor(plannedMs / this.#tokenMs));
  }

  /** Expected milliseconds of an evaluation, of its tokens in proportion while none was measured. */
  expectedMs({ steps, promptTokens }: BatchLoad): number {
    const stepsMs = steps === 0 ? 0 : this.#stepsMs(steps);
    const tokenMs = this.#tokenMs ?? this.#unknownStepMs;
    return (stepsMs ?? steps * (tokenMs || 1)) + promptTokens * (tokenMs || 1);
  }

  /** Milliseconds of an evaluation of decoding steps; null before the first. */
  #stepsMs(steps: number): number | null {
    return this.#decode.ms(steps, this.#unknownStepMs);
  }

  /** Assumed milliseconds of a further step while a single size was measured. */
  get #unknownStepMs(): number {
    return this.#tokenMs ?? (this.#decode.ms(1, 0) ?? 0) / FREE_STEPS;
  }

  /** Maximum number of decoding steps of one generation in an evaluation. */
  get rowsPerRun(): number {
    const line = this.#decode.line;
    if (line === null) return Number.POSITIVE_INFINITY;
    const steps = Math.floor((Math.max(PART_MS, PART_FACTOR * line.fixedMs) - line.fixedMs) / line.stepMs);
    return Math.max(MIN_PART_ROWS, steps - (steps % this.#tokensAtOnce));
  }

  /** Run and measure one evaluation. An evaluation that fails is not measured. */
  async time<T>(steps: readonly Step[], evaluate: () => Promise<T>): Promise<T> {
    const startedAt = this.#now();
    const results = await evaluate();
    const elapsed = this.#now() - startedAt;
    const tokens = steps.reduce((sum, step) => sum + step.tokens.length, 0);
    this.counts.add(tokens, elapsed);
    if (steps.every(isScored)) {
      this.#decodeMs = blend(this.#decodeMs, elapsed);
      this.#decode.add(tokens, elapsed);
    } else if (tokens >= 2 * MIN_PREFILL_TOKENS) {
      this.#tokenMs = blend(this.#tokenMs, elapsed / tokens);
    }
    return results;
  }
}

/** Whether every token is scored: a decoding step, perhaps with a draft. */
function isScored({ tokens, scored }: Step): boolean {
  return scored === 'all' || (scored === 'last' && tokens.length === 1);
}

function blend(average: number | null, measured: number): number {
  return average === null ? measured : average + SMOOTHING * (measured - average);
}
