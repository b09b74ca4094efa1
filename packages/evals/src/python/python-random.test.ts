import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPythonRandom } from './python-random.ts';

// Values of CPython 3.11.7: `r = random.Random(seed)`, then the calls in this order.
test('random() and sample() give the numbers of CPython for seed 1234', () => {
  const random = createPythonRandom(1234);
  const floats = [random.random(), random.random(), random.random()];
  assert.deepEqual(floats, [0.9664535356921388, 0.4407325991753527, 0.007491470058587191]);
  assert.deepEqual(random.sampleIndices(10, 4), [9, 0, 1, 8]);
  assert.deepEqual(random.sampleIndices(5000, 6), [2905, 1939, 142, 252, 129, 2835]);
  assert.deepEqual(random.sampleIndices(30, 3), [20, 19, 15]);
});

test('sample() changes from a pool to a set where CPython does', () => {
  const random = createPythonRandom(0);
  assert.equal(random.random(), 0.8444218515250481);
  assert.deepEqual(random.sampleIndices(21, 5), [13, 1, 8, 16, 15]);
  assert.deepEqual(random.sampleIndices(22, 5), [12, 9, 15, 11, 18]);
  assert.deepEqual(random.sampleIndices(85, 6), [27, 64, 17, 36, 82, 12]);
  assert.deepEqual(random.sampleIndices(86, 6), [79, 32, 68, 77, 18, 39]);
});

test('a sample of more than there is throws', () => {
  assert.throws(() => createPythonRandom(1).sampleIndices(3, 4), /expected at most 3 indices, got 4/);
});
