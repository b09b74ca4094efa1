import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeEngine } from '../testing/fake-model.ts';
import { describeModel } from './describe-model.ts';

test('names the model, its storage and what computes it', () => {
  const { info } = createFakeEngine();
  assert.equal(describeModel({ ...info, loadMs: 1234 }), 'fake, F32, on the CPU, loaded in 1.2 s');
  assert.match(describeModel({ ...info, draftModelName: 'small' }), /, on the CPU, drafts by small, loaded/);
  assert.match(describeModel({ ...info, backend: 'cuda' }), /, on the GPU by CUDA, /);
});
