import type { RowWork, StrategyRun } from './strategy-run.ts';

/** A slice of one row that goes into the next evaluation. */
export interface Slice {
  readonly run: StrategyRun;
  readonly work: RowWork;
  readonly count: number;
}

export interface BatchLimits {
  /** Maximum number of tokens in one evaluation. */
  readonly maxTokens: number;
  /** Maximum number of prompt tokens in an evaluation while any run decodes. */
  readonly prefillTokens: number;
  /** Maximum number of prompt tokens in any evaluation. Default: no limit. */
  readonly promptTokens?: number;
  /** As in the model's limits. Default 1. */
  readonly tokensAtOnce?: number;
  /** Maximum number of decoding steps of one run. Default: no limit. */
  readonly rowsPerRun?: number;
}

/** The tokens of some slices. */
export interface BatchLoad {
  readonly steps: number;
  readonly promptTokens: number;
}

/** What a round needs to know of the model's cost. */
export interface RoundCosts {
  /** Number of tokens of tenants in debt beside this number of others. */
  extraTokens(planned: number): number;
  /** Expected milliseconds of an evaluation. */
  expectedMs(load: BatchLoad): number;
}

export interface Round {
  /** Those of tenants in debt are last. */
  readonly slices: readonly Slice[];
  /** Expected part of the evaluation's time that tenants in debt add, 0 … 1. */
  readonly debtorsShare: number;
}

/** A row with at most this many tokens left is a decoding step (one token, or a verified draft), not a prompt. */
const DECODE_TOKENS = 32;

/**
 * Choose the slices of the next evaluation when some tenants are in debt: as `planBatch` does for the others, then as many
 * tokens of tenants in debt as `extraTokens` allows beside that number.
 */
export function planRound(
  ahead: readonly StrategyRun[],
  inDebt: readonly StrategyRun[],
  limits: BatchLimits,
  costs: RoundCosts,
): Round {
  // Those in debt that decode wait for the evaluation as well.
  const first = planBatch(ahead, inDebt.some(isDecoding) ? { ...limits, promptTokens: limits.prefillTokens } : limits);
  const planned = first.reduce((sum, { count }) => sum + count, 0);
  const maxTokens = Math.min(limits.maxTokens - planned, inDebt.length === 0 ? 0 : costs.extraTokens(planned));
  if (maxTokens < 1) return { slices: first, debtorsShare: 0 };
  const prefillTokens = Math.min(limits.prefillTokens, maxTokens);
  const slices = [...first, ...planBatch(inDebt, { ...limits, maxTokens, prefillTokens })];
  const ms = costs.expectedMs(loadOf(slices));
  const debtorsShare = ms > 0 ? Math.max(0, 1 - costs.expectedMs(loadOf(first)) / ms) : 0;
  return { slices, debtorsShare };
}

function loadOf(slices: readonly Slice[]): BatchLoad {
  const load = { steps: 0, promptTokens: 0 };
  for (const { work, count } of slices) load[isPrompt(work) ? 'promptTokens' : 'steps'] += count;
  return load;
}

/**
 * Choose the slices of the next evaluation. Decoding steps come first, up to `rowsPerRun` of each run, then prompts in order
 * of arrival, limited to the remaining tokens. Rows that do not fit wait for a later evaluation.
 */
export function planBatch(runs: readonly StrategyRun[], limits: BatchLimits): readonly Slice[] {
  const slices: Slice[] = [];
  const prompts: { run: StrategyRun; work: RowWork }[] = [];
  const { rowsPerRun = Number.POSITIVE_INFINITY, promptTokens = Number.POSITIVE_INFINITY } = limits;
  const { tokensAtOnce = 1 } = limits;
  let left = limits.maxTokens;
  for (const run of runs) {
    let rows = 0;
    for (const work of run.work) {
      const tokens = work.row.tokens.length - work.fed;
      if (isPrompt(work)) {
        prompts.push({ run, work });
      } else if (tokens <= left && rows < rowsPerRun) {
        slices.push({ run, work, count: tokens });
        left -= tokens;
        rows++;
      }
    }
  }
  const decoding = limits.maxTokens - left;
  left = Math.min(left, slices.length > 0 ? limits.prefillTokens : promptTokens);
  const waiting = prompts.reduce((sum, { work }) => sum + work.row.tokens.length - work.fed, 0);
  // A prompt that is cut anyway is cut where the batch has a size that the engine computes well.
  if (waiting > left && left >= tokensAtOnce) left -= (decoding + left) % tokensAtOnce;
  for (const { run, work } of prompts) {
    if (left === 0) break;
    const count = Math.min(left, work.row.tokens.length - work.fed);
    slices.push({ run, work, count });
    left -= count;
  }
  return slices;
}

function isDecoding({ work }: StrategyRun): boolean {
  return work.some((row) => !isPrompt(row));
}

function isPrompt({ row, fed }: RowWork): boolean {
  return row.tokens.length - fed > DECODE_TOKENS;
}
