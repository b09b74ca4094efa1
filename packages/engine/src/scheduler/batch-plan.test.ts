import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planBatch } from './batch-plan.ts';
import type { RowWork, StrategyRun } from './strategy-run.ts';

/** A run with one row of so many tokens still to be fed; the plan looks at nothing else. */
function runWith(tokens: number): StrategyRun {
  const row = { tokens: Array.from({ length: tokens }, () => 1), from: null, scored: 'last' } as const;
  const work: readonly RowWork[] = [{ row, sequence: 0, fed: 0 }];
  return { work } as Partial<StrategyRun> as StrategyRun;
}
const plan = (rows: readonly number[], limits: { readonly maxTokens: number; readonly prefillTokens: number }) =>
  planBatch(rows.map(runWith), limits).map(({ count }) => count);

test('decoding steps come whole, and a prompt beside them is cut to its share', () => {
  assert.deepEqual(plan([1, 100, 1, 1, 1], { maxTokens: 64, prefillTokens: 16 }), [1, 1, 1, 1, 16]);
  assert.deepEqual(plan([100, 100], { maxTokens: 64, prefillTokens: 16 }), [64]);
  assert.deepEqual(plan([40, 100], { maxTokens: 64, prefillTokens: 16 }), [40, 24]);
});

test('what is cut is cut where the batch is a whole number of fours', () => {
  assert.deepEqual(plan([1, 100], { maxTokens: 64, prefillTokens: 16 }), [1, 15]);
  assert.deepEqual(plan([1, 1, 1, 100], { maxTokens: 64, prefillTokens: 16 }), [1, 1, 1, 13]);
  // What fits whole is not cut for it, and something always goes on.
  assert.deepEqual(plan([1, 33], { maxTokens: 64, prefillTokens: 40 }), [1, 33]);
  assert.deepEqual(plan([1, 100], { maxTokens: 64, prefillTokens: 3 }), [1, 3]);
  assert.deepEqual(plan([1, 1, 100], { maxTokens: 64, prefillTokens: 5 }), [1, 1, 2]);
});
