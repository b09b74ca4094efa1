import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mcNemarP, pairedPerplexity } from './significance.ts';

// scipy.stats.binomtest(min, n, 0.5).pvalue
test('the exact test of McNemar is the two-sided binomial one', () => {
  assert.ok(Math.abs(mcNemarP(3, 12) - 0.03515625) < 1e-12);
  assert.ok(Math.abs(mcNemarP(10, 8) - 0.8145294189453125) < 1e-12);
  assert.equal(mcNemarP(0, 0), 1);
  assert.ok(mcNemarP(400, 600) > 0 && mcNemarP(400, 600) < 1e-9);
});

test('two equal runs have no difference, and a shift of all documents is found', () => {
  const before = Array.from({ length: 50 }, (_, at) => -1 - (at % 7) / 10);
  assert.deepEqual(pairedPerplexity(before, before), { difference: 0, low: 0, high: 0 });
  const { difference, low, high } = pairedPerplexity(
    before,
    before.map((each) => each - 0.1),
  );
  assert.ok(0 < low && low < difference && difference < high);
});
