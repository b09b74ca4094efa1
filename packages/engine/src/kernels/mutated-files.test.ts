import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeTinyModel } from '../tiny-model.fixture.ts';

const PROGRAM = fileURLToPath(new URL('./mutated-files.fixture.js', import.meta.url));
const tiny = await makeTinyModel();
after(() => tiny.remove());

/** Another seed and count find more: `KERNEL_MUTATIONS=100000 KERNEL_SEED=7`. */
const { KERNEL_MUTATIONS: count = '300', KERNEL_SEED: seed = '1' } = process.env;

describe('a mutated model file on the kernels', () => {
  it('fails with a typed error or evaluates, and never ends the process', () => {
    const { status, signal, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, tiny.path, seed, count], {
      encoding: 'utf8',
    });
    assert.equal(signal, null, stderr);
    assert.equal(status, 0, stderr);
    const { failed, evaluated } = JSON.parse(stdout);
    assert.ok(failed > 0 && evaluated > 0, stdout);
  });
});
