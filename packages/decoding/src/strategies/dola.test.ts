import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contrastLayers } from './dola.ts';

const logs = (...probabilities: readonly number[]) => Float32Array.from(probabilities, Math.log);

test('subtracts the log-probabilities of the inner layer and forbids unlikely tokens', () => {
  const scores = contrastLayers(logs(0.5, 0.3, 0.16, 0.04), [logs(0.5, 0.1, 0.2, 0.2)]);
  assert.ok(Math.abs(scores[0]! - 0) < 1e-6);
  assert.ok(Math.abs(scores[1]! - Math.log(3)) < 1e-6);
  assert.ok(Math.abs(scores[2]! - Math.log(0.8)) < 1e-6);
  assert.equal(scores[3], Number.NEGATIVE_INFINITY);
});

test('contrasts with the layer whose distribution differs most from the last', () => {
  const final = logs(0.5, 0.3, 0.2);
  const near = logs(0.45, 0.33, 0.22);
  const far = logs(0.1, 0.2, 0.7);
  for (const layers of [[near, far], [far, near], [far]]) {
    assert.deepEqual(contrastLayers(final, layers), contrastLayers(final, [far]));
  }
});
