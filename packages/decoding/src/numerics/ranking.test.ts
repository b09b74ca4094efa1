import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededUniforms } from '../testing/seeded-uniforms.ts';
import { expOfNegative } from './exponential.ts';
import { logSumExp } from './log-softmax.ts';
import { keepFirst, nthLargest, Ranking } from './ranking.ts';

const draw = seededUniforms(5);
const NONE = Number.NEGATIVE_INFINITY;

/** Rows of every kind: smooth, tied, flat, sparse, huge, tiny. */
function* rows(): Generator<Float32Array> {
  for (let round = 0; round < 60; round++) {
    const length = 1 + Math.floor(draw() * 3000);
    const spread = [1e-6, 1, 30, 1e30][round % 4]!;
    const steps = [0, 5, 50][round % 3]!;
    yield Float32Array.from({ length }, () => {
      if (draw() < 0.1) return NONE;
      const value = (draw() - 0.5) * spread;
      return steps === 0 ? value : Math.round((value / spread) * steps);
    });
  }
  yield new Float32Array(0);
  yield Float32Array.of(NONE, NONE);
  yield Float32Array.of(3.4e38, -3.4e38, 0, Number.POSITIVE_INFINITY, NONE);
}

test('a ranking equals the stable descending sort at every position read', () => {
  const ranking = new Ranking();
  for (const row of rows()) {
    const sorted = Array.from(row.keys())
      .filter((index) => row[index]! > NONE)
      .sort((a, b) => row[b]! - row[a]! || a - b);
    ranking.rank(row);
    assert.equal(ranking.count, sorted.length);
    assert.deepEqual(
      sorted.map((_, position) => ranking.at(position)),
      sorted,
    );
    if (sorted.length === 0) continue;
    const position = Math.floor(draw() * sorted.length);
    ranking.rank(row);
    assert.equal(ranking.at(position), sorted[position]);
    assert.equal(nthLargest(row, 1 + (position % 5)), row[sorted[position % 5]!] ?? NONE);
  }
});

test('keepFirst sets all but the first entries to -inf, ties by index', () => {
  const row = Float32Array.of(1, 2, 2, NONE, 2, 0);
  const ranking = new Ranking();
  ranking.rank(row);
  keepFirst(row, ranking, 2);
  assert.deepEqual([...row], [NONE, 2, 2, NONE, NONE, NONE]);
});

test('expOfNegative is accurate to twelve digits and underflows to 0', () => {
  for (let x = 0; x > -745; x -= 0.37) {
    const exact = Math.exp(x);
    assert.ok(Math.abs(expOfNegative(x) - exact) <= exact * 1e-11 + 5e-324, `exp(${x})`);
  }
  assert.equal(expOfNegative(0), 1);
  assert.equal(expOfNegative(-800), 0);
  assert.equal(expOfNegative(NONE), 0);
  assert.equal(expOfNegative(Number.NaN), 0);
});

test('logSumExp handles large values, -inf and NaN', () => {
  assert.ok(Math.abs(logSumExp(Float32Array.of(1000, 1000, NONE)) - (1000 + Math.LN2)) < 1e-9);
  assert.equal(logSumExp(Float32Array.of(NONE, NONE)), NONE);
  assert.equal(logSumExp(Float32Array.of(Number.NaN, 0)), 0);
});
