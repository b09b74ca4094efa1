import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawChunks, estimateMean, estimateQuantile } from './bootstrap.ts';

test('every resample has as many chunks as the text', () => {
  for (const counts of drawChunks(7, 50))
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0),
      7,
    );
  assert.deepEqual(drawChunks(1), []);
});

// 100 chunks of mean m_i spread uniformly on 0 … 1: the mean of 100 has a standard error of √(1/12) / 10 = 0.0289.
test('the interval of a mean is 1.96 standard errors of the chunks, not of the tokens', () => {
  const chunks = Array.from({ length: 100 }, (_, i) => new Array<number>(50).fill((i + 0.5) / 100));
  const { value, low, high } = estimateMean(chunks, drawChunks(100));
  assert.ok(Math.abs(value - 0.5) < 1e-12);
  for (const half of [value - low!, high! - value]) assert.ok(half > 0.051 && half < 0.062, String(half));
});

test('quantiles are values that occur, and the interval contains them', () => {
  const chunks = Array.from({ length: 10 }, (_, i) => [i, i + 10]);
  const draws = drawChunks(10);
  assert.equal(estimateQuantile(chunks, 0.5, draws).value, 9);
  assert.equal(estimateQuantile(chunks, 1, draws).value, 19);
  const { value, low, high } = estimateQuantile(chunks, 0.9, draws);
  assert.equal(value, 17);
  assert.ok(low! <= 17 && high! >= 17 && low! < high!);
});

test('one chunk has a value and no interval', () => {
  assert.deepEqual(estimateMean([[1, 2, 3]], drawChunks(1)), { value: 2, low: null, high: null });
});
