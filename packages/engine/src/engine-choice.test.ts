import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { type KernelLibrary, loadKernels } from '@gptj-cloud/kernels';
import { chooseEngine } from './engine-choice.ts';
import { makeTinyModel } from './tiny-model.fixture.ts';

const file = await makeTinyModel();
after(() => file.remove());

describe('the choice of an engine', () => {
  it('is the kernels where they can compute the model', async () => {
    assert.deepEqual(await chooseEngine(file.path, 0), { kind: 'kernels', reason: null, warnings: [] });
  });

  it('is llama.cpp where the kernels compute wrong results, with that as the reason', async () => {
    const broken: KernelLibrary = { ...loadKernels(), step: async () => 0 };
    assert.deepEqual(await chooseEngine(file.path, 0, () => broken), {
      kind: 'llama',
      reason: 'the kernels compute wrong results on this processor',
      warnings: [],
    });
  });
});
