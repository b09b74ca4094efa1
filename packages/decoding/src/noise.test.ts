import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freshSeed, seededNoise } from './noise.ts';
import { cellWord, gumbelBound, gumbelNoise, rowKey } from './numerics/cell-noise.ts';
import { seededUniforms } from './testing/seeded-uniforms.ts';

const take = (seed: number, stream: number, count: number) => {
  const draw = seededUniforms(seed, stream);
  return Array.from({ length: count }, draw);
};

test('a seed and a stream always give the same numbers, strictly between 0 and 1', () => {
  const numbers = take(42, 3, 10_000);
  assert.deepEqual(numbers, take(42, 3, 10_000));
  assert.ok(numbers.every((number) => number > 0 && number < 1));
  const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  assert.ok(Math.abs(mean - 0.5) < 0.02);
});

test('the generator gives fixed numbers for a fixed seed', () => {
  assert.deepEqual(
    take(1, 0, 3).map((number) => number.toFixed(12)),
    ['0.424681966059', '0.003274807108', '0.394629551232'],
  );
});

test('neighbouring streams and seeds are uncorrelated', () => {
  const streams = [take(7, 0, 2000), take(7, 1, 2000), take(8, 0, 2000), take(7 + 2 ** 32, 0, 2000)];
  for (const [at, a] of streams.entries()) {
    for (const b of streams.slice(at + 1)) {
      const covariance = a.reduce((sum, value, index) => sum + (value - 0.5) * (b[index]! - 0.5), 0) / a.length;
      assert.ok(Math.abs(covariance * 12) < 0.1, `correlation ${covariance * 12}`);
    }
  }
});

test('each of the 53 bits of a seed changes the numbers', () => {
  const largest = 2 ** 53 - 1;
  assert.notDeepEqual(take(largest, 0, 4), take(largest - 1, 0, 4));
  assert.notDeepEqual(take(largest, 0, 4), take(largest - 2 ** 40, 0, 4));
});

test('fresh seeds are valid and differ', () => {
  const seeds = Array.from({ length: 50 }, freshSeed);
  assert.equal(new Set(seeds).size, 50);
  assert.ok(seeds.every((seed) => Number.isSafeInteger(seed) && seed >= 0));
});

test('the noise of a cell depends on seed, stream, draw, row and token alone', () => {
  const key = (seed: number, index: number, draws: number) => {
    const stream = seededNoise(seed).stream(index);
    for (let draw = 1; draw < draws; draw++) stream.next();
    return stream.next();
  };
  const words = [
    cellWord(key(1, 0, 1), 7),
    cellWord(key(2, 0, 1), 7),
    cellWord(key(1, 1, 1), 7),
    cellWord(key(1, 0, 2), 7),
    cellWord(key(1, 0, 1), 8),
    cellWord(rowKey(key(1, 0, 1), 0), 7),
    cellWord(rowKey(key(1, 0, 1), 1), 7),
  ];
  assert.equal(new Set(words).size, words.length);
  assert.equal(cellWord(key(1, 0, 1), 7), words[0]);
});

test('the noise of the cells is a Gumbel variable, below its bound', () => {
  const stream = seededNoise(3).stream(0);
  const cells = Array.from({ length: 40 }, () => stream.next()).flatMap((key) =>
    Array.from({ length: 5000 }, (_, token) => {
      const word = cellWord(key, token);
      const noise = gumbelNoise(word, key);
      assert.ok(noise < gumbelBound(word));
      return noise;
    }),
  );
  const mean = cells.reduce((sum, noise) => sum + noise, 0) / cells.length;
  const variance = cells.reduce((sum, noise) => sum + (noise - mean) ** 2, 0) / cells.length;
  // Euler's constant and pi^2 / 6; the standard errors are 0.003 and 0.008.
  assert.ok(Math.abs(mean - 0.5772) < 0.012, `mean ${mean}`);
  assert.ok(Math.abs(variance - 1.6449) < 0.035, `variance ${variance}`);
});
