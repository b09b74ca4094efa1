import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { STEP_FIELDS } from './layout.ts';
import { INSTRUCTION_SETS, type KernelLibrary, loadKernels } from './library.ts';
import { findWorkingSet, workingSet } from './self-test.ts';

describe('the self-test of the kernels', () => {
  const library = loadKernels();

  it('finds the fastest instruction set of this processor', async () => {
    assert.equal(await workingSet(library), library.fastest);
  });

  it('passes over an instruction set that computes something else', async () => {
    const fastest = BigInt(INSTRUCTION_SETS.indexOf(library.fastest));
    const broken: KernelLibrary = {
      ...library,
      // Computes nothing, and says that it has.
      step: async (words) => (words[STEP_FIELDS.indexOf('set')] === fastest ? 0 : await library.step(words)),
    };
    assert.equal(await workingSet(broken), library.fastest === 'AVX-512' ? 'AVX2' : 'none');
  });

  it('finds none where the logits are not the expected ones', async () => {
    assert.equal(await findWorkingSet(library, 1), 'none');
  });
});
