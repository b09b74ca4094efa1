import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BatchLimits, planBatch, planRound, type RoundCosts } from './batch-plan.ts';
import type { RowWork, StrategyRun } from './strategy-run.ts';

/** A run with one row of which `tokens` tokens are not evaluated yet; `planBatch` reads nothing else. */
function runWith(tokens: number): StrategyRun {
  const row = { tokens: Array.from({ length: tokens }, () => 1), from: null, scored: 'last' } as const;
  const work: readonly RowWork[] = [{ row, sequence: 0, fed: 0 }];
  return { work } as Partial<StrategyRun> as StrategyRun;
}
const plan = (rows: readonly number[], limits: BatchLimits) =>
  planBatch(rows.map(runWith), { tokensAtOnce: 4, ...limits }).map(({ count }) => count);

test('includes decoding steps as a whole and limits a prompt beside them to prefillTokens', () => {
  assert.deepEqual(plan([1, 100, 1, 1, 1], { maxTokens: 64, prefillTokens: 16 }), [1, 1, 1, 1, 16]);
  assert.deepEqual(plan([100, 100], { maxTokens: 64, prefillTokens: 16 }), [64]);
  assert.deepEqual(plan([40, 100], { maxTokens: 64, prefillTokens: 16 }), [40, 24]);
});

test('cuts a prompt where the batch is a multiple of four tokens', () => {
  assert.deepEqual(plan([1, 100], { maxTokens: 64, prefillTokens: 16 }), [1, 15]);
  assert.deepEqual(plan([1, 1, 1, 100], { maxTokens: 64, prefillTokens: 16 }), [1, 1, 1, 13]);
  // A prompt that fits is not cut, and a limit below four tokens still makes progress.
  assert.deepEqual(plan([1, 33], { maxTokens: 64, prefillTokens: 40 }), [1, 33]);
  assert.deepEqual(plan([1, 100], { maxTokens: 64, prefillTokens: 3 }), [1, 3]);
  assert.deepEqual(plan([1, 1, 100], { maxTokens: 64, prefillTokens: 5 }), [1, 1, 2]);
});

test('limits prompts to promptTokens while no run decodes', () => {
  const limits = { maxTokens: 64, prefillTokens: 16, promptTokens: 32, tokensAtOnce: 4 };
  assert.deepEqual(
    planBatch([runWith(100)], limits).map(({ count }) => count),
    [32],
  );
  assert.deepEqual(
    planBatch([runWith(100), runWith(1)], limits).map(({ count }) => count),
    [1, 15],
  );
});

test('limits the decoding steps of one run, not those of many', () => {
  const rows = Array.from({ length: 64 }, () => runWith(1));
  const beams = { work: rows.flatMap(({ work }) => work) } as Partial<StrategyRun> as StrategyRun;
  const limits = { maxTokens: 512, prefillTokens: 16, rowsPerRun: 12 };
  assert.equal(planBatch([beams], limits).length, 12);
  assert.equal(planBatch([beams, ...rows], limits).length, 12 + 64);
});

/** 10 ms, 1 ms a step, 2 ms a token of a prompt. */
const costs = (extra: number): RoundCosts => ({
  extraTokens: () => extra,
  expectedMs: ({ steps, promptTokens }) => (steps > 0 ? 10 : 0) + steps + 2 * promptTokens,
});

test('adds as many tokens of tenants in debt as the time of the others allows', () => {
  const limits = { maxTokens: 64, prefillTokens: 16 };
  const round = (ahead: readonly number[], inDebt: readonly number[], extra: number): readonly number[] =>
    planRound(ahead.map(runWith), inDebt.map(runWith), limits, costs(extra)).slices.map(({ count }) => count);
  assert.deepEqual(
    round(
      [1, 1],
      Array.from({ length: 64 }, () => 1),
      3,
    ),
    [1, 1, 1, 1, 1],
  );
  assert.deepEqual(round([1], [100], 0), [1]);
  assert.deepEqual(round([100], [1], 1), [16, 1], 'a tenant in debt decodes: the prompt must not hold it up');
  assert.deepEqual(round([1], [], 9), [1]);
});

test('expects tenants in debt to add the time of their tokens', () => {
  const limits = { maxTokens: 64, prefillTokens: 16 };
  const share = (ahead: readonly number[], inDebt: readonly number[]): number =>
    planRound(ahead.map(runWith), inDebt.map(runWith), limits, costs(5)).debtorsShare;
  assert.equal(share([1], [1, 1]), 1 - 11 / 13);
  assert.equal(share([1], [100]), 1 - 11 / 21);
  assert.equal(share([1], []), 0);
  assert.equal(share([], [1]), 1);
});
