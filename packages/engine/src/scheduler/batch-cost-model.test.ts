import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Step } from '@gptj-cloud/model';
import { BatchCostModel } from './batch-cost-model.ts';

let now = 0;
const steps = (count: number, tokens: number): Step[] =>
  Array.from({ length: count }, (_, sequence) => ({ sequence, tokens: new Array(tokens).fill(1), scored: 'last' }));

/** A cost model that has measured evaluations of these many steps, tokens each, and milliseconds. */
type Seen = readonly [steps: number, tokens: number, ms: number];
const after = (...seen: readonly Seen[]): Promise<BatchCostModel> => afterBy(4, ...seen);

async function afterBy(tokensAtOnce: number, ...seen: readonly Seen[]): Promise<BatchCostModel> {
  const costs = new BatchCostModel(() => now, tokensAtOnce);
  for (const [count, tokens, ms] of seen) {
    await costs.time(steps(count, tokens), async () => {
      now += ms;
    });
  }
  return costs;
}

/** Tokens to draft alone, by the share that agrees. */
const alone = (costs: BatchCostModel, acceptance: number): number => costs.draftTokens({ acceptance, rows: 1 });

test('drafts no tokens before a decoding step was measured', async () => {
  assert.equal(alone(await after(), 1), 0);
  assert.equal(alone(await after([1, 100, 3000]), 1), 0);
  assert.ok(alone(await after([1, 1, 100]), 1) > 0);
});

test('drafts up to a multiple of the tokens that are computed at once, when that gives more tokens per second', async () => {
  // A step takes 70 ms, and 30 for each token: three drafted ones double the time of an evaluation.
  const costs = await after([1, 1, 100], [1, 100, 3000]);
  assert.deepEqual(
    [0.2, 0.5, 0.7, 0.9, 0.98].map((acceptance) => alone(costs, acceptance)),
    [0, 0, 3, 7, 15],
  );
  assert.equal(costs.draftTokens({ acceptance: 0.7, rows: 8 }), 0, 'beside others a step is shared already');
});

test('drafts any number of tokens where batches of all sizes are computed alike', async () => {
  // 60 ms, and 2 for each token.
  const costs = await afterBy(1, [1, 1, 62], [8, 1, 76], [1, 100, 800]);
  assert.deepEqual(
    [0.02, 0.3, 0.6, 0.9].map((acceptance) => alone(costs, acceptance)),
    [0, 2, 5, 15],
  );
});

test('drafts fewer tokens where a drafter takes longer, and none where it takes as long as the model', async () => {
  const costs = await afterBy(1, [1, 1, 62], [8, 1, 76]);
  const lengths = [0, 5, 15, 60].map((tokenMs) => costs.draftTokens({ acceptance: 0.8, rows: 1, tokenMs }));
  assert.deepEqual(lengths, [9, 5, 3, 0]);
  // A prompt that the draft model has not seen yet pays in a long output only.
  const prompt = { acceptance: 0.8, rows: 1, tokenMs: 5, onceMs: 300 };
  assert.deepEqual(
    [4, 200].map((remaining) => costs.draftTokens({ ...prompt, remaining })),
    [0, 5],
  );
});

test('drafts only as far as further steps are nearly free, for all that draft together', async () => {
  // Up to eight steps in 80 ms, sixteen in 160.
  const costs = await afterBy(1, [1, 1, 78], [4, 1, 79], [8, 1, 80], [16, 1, 160]);
  const length = (runs: number): number => costs.draftTokens({ acceptance: 0.8, rows: runs, runs });
  assert.deepEqual([1, 2, 4, 8].map(length), [7, 3, 1, 0]);
});

test('believes that a size is slow from its third evaluation on, and that it is fast from the first', async () => {
  const often: [number, number, number][] = [1, 2, 3].map(() => [1, 1, 80]);
  const slow: [number, number, number] = [8, 1, 2000];
  for (const [times, isDrafted] of [
    [1, true],
    [2, true],
    [3, false],
  ] as const) {
    const costs = await afterBy(1, ...often, ...new Array(times).fill(slow));
    assert.equal(alone(costs, 0.6) > 0, isDrafted, `${times} times`);
  }
  const fast = await afterBy(1, ...often, [8, 1, 81]);
  assert.ok(alone(fast, 0.9) >= 7);
});

test('measures verified drafts as the decoding steps that they are', async () => {
  const costs = new BatchCostModel(() => now, 1);
  const time = (tokens: number, ms: number): Promise<void> =>
    costs.time([{ sequence: 0, tokens: new Array(tokens).fill(1), scored: 'all' }], async () => {
      now += ms;
    });
  await time(1, 100);
  await time(8, 101);
  assert.equal(alone(costs, 0.9), 15);
  await time(16, 3000);
  assert.equal(alone(costs, 0.9), 7);
});

test('computes fewer prompt tokens beside decoding steps when a token takes longer', async () => {
  assert.equal((await after()).prefillTokens(), 64);
  assert.equal((await after([1, 1, 100], [1, 100, 3000])).prefillTokens(), 16);
  assert.equal((await after([1, 1, 1], [1, 100, 30])).prefillTokens(), 500);
});

test('computes fewer prompt tokens in one evaluation where another tenant may wait for it', async () => {
  // 0.25 ms a token: 15 ms of them.
  const costs = await after([1, 1, 1], [1, 100, 25]);
  assert.deepEqual([costs.prefillTokens(1), costs.prefillTokens(2)], [512, 60]);
});

test('evaluates many rows of a generation in parts, where a part does not cost much more than its share', async () => {
  assert.equal((await after()).rowsPerRun, Number.POSITIVE_INFINITY);
  assert.equal((await after([64, 1, 130], [64, 1, 130])).rowsPerRun, Number.POSITIVE_INFINITY);
  // 2 ms and 2 ms a row: 18 rows take 38 ms.
  assert.equal((await after([1, 1, 4], [64, 1, 130])).rowsPerRun, 16);
  // 200 ms and 4 ms a row: a part of 100 rows takes three times the fixed part.
  assert.equal((await after([1, 1, 204], [64, 1, 456])).rowsPerRun, 100);
  // A row takes longer than a part should: eight rows at least.
  assert.equal((await after([1, 1, 50], [64, 1, 3200])).rowsPerRun, 8);
});

test('plans by the shortest evaluations: other processes make some of them many times as long', async () => {
  const seen: [number, number, number][] = [];
  for (let i = 0; i < 20; i++) seen.push([1, 1, 5], [1, 1, 400], [16, 1, 35], [16, 1, 900]);
  const costs = await after(...seen);
  // 3 ms, and 2 ms a row.
  assert.deepEqual([costs.extraTokens(1), costs.rowsPerRun], [2, 16]);
});

test('adds fewer tokens of tenants in debt where a token of a prompt takes longer than a decoding step', async () => {
  // 8 ms and 1 ms a row; a token of a prompt takes 4 ms.
  const decoding: [number, number, number][] = [
    [1, 1, 9],
    [8, 1, 16],
  ];
  assert.equal((await after(...decoding)).extraTokens(1), 9);
  assert.equal((await after(...decoding, [1, 100, 400])).extraTokens(1), 2);
});

test('forgets sizes that have not occurred for long', async () => {
  const recent = Array.from({ length: 101 }, (): [number, number, number] => [1, 1, 4]);
  const costs = await after([64, 1, 6400], [1, 1, 4], [4, 1, 10], ...recent.slice(0, 90));
  assert.equal(costs.rowsPerRun, 8);
  assert.equal((await after([64, 1, 6400], ...recent)).rowsPerRun, Number.POSITIVE_INFINITY);
});

test('evaluates prompts alone in parts of a tenth of a second, but not in small ones', async () => {
  assert.equal((await after()).promptTokens, 64);
  assert.equal((await after([1, 100, 50])).promptTokens, 200);
  assert.equal((await after([1, 100, 3000])).promptTokens, 32);
});
