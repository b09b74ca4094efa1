import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { after, describe, it } from 'node:test';
import { openModel } from '../open-model.ts';
import { makeTinyModel } from '../tiny-model.fixture.ts';
import { describeModelFile } from './describe-model-file.ts';

const file = await makeTinyModel(128);
after(() => file.remove());
const machine = { totalBytes: 8e9, freeBytes: 8e9, isLimited: false };

describe('the description of a model file', () => {
  for (const kind of ['kernels', 'llama'] as const) {
    it(`is that of the ${kind} engine once it is loaded`, async () => {
      const options = { path: file.path, kind, cacheCells: 512, contextLength: 64, threads: 1 } as const;
      const opened = await openModel(options);
      await opened.close();
      const { info, bytes } = await describeModelFile(options, { like: opened.info, machine });
      // llama.cpp has other names for types of files.
      const quantisation = kind === 'llama' ? info.quantisation : opened.info.quantisation;
      assert.deepEqual(info, { ...opened.info, quantisation, loadMs: 0 });
      assert.ok(bytes > (await stat(file.path)).size);
    });
  }

  it('takes the engine of another model of the server where none is named', async () => {
    const opened = await openModel({ path: file.path, kind: 'llama', cacheCells: 512, threads: 1 });
    await opened.close();
    const { info } = await describeModelFile({ path: file.path }, { like: opened.info, machine });
    assert.equal(info.kind, 'llama');
    const other = await describeModelFile({ path: file.path }, { like: { ...opened.info, kind: 'kernels' }, machine });
    assert.equal(other.info.kind, 'kernels');
  });

  it('plans the cache for the memory that the model may take', async () => {
    const like = (await describeModelFile({ path: file.path, kind: 'kernels' }, { like: INFO, machine })).info;
    assert.equal(like.cacheCells, 8 * 128);
    const small = { ...machine, totalBytes: 1e6 };
    assert.equal((await describeModelFile({ path: file.path }, { like, machine: small })).info.cacheCells, 256);
  });

  it('refuses a file that is not a GPT-J', async () => {
    await assert.rejects(describeModelFile({ path: import.meta.filename ?? '' }, { like: INFO, machine }), {
      name: 'CheckpointError',
    });
  });
});

const INFO = { kind: 'kernels', backend: 'cpu' } as never;
