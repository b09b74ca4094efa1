import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openGgufWeights } from '@gptj-cloud/checkpoint';
import { ModelError } from '@gptj-cloud/model';
import { describeLanguageModel } from '../language-model.contract.ts';
import { openModel } from '../open-model.ts';
import { makeTinyAdapters } from '../tiny-adapters.fixture.ts';
import { greedyCases, makeTinyModel, type TinyModelFile } from '../tiny-model.fixture.ts';
import { openLlamaWeights } from './llama-weights.ts';

const file = await makeTinyModel();
const adapters = await makeTinyAdapters(file.path);
after(() => Promise.all([file.remove(), adapters.remove()]));

// llama.cpp's GELU uses a float16 table, so that the last bit of its input can change a logit of about 10 by 1e-3.
describeLanguageModel(
  'the llama engine at float32 cache',
  async () =>
    (
      await openModel({
        path: file.path,
        kind: 'llama',
        cacheType: 'f32',
        cacheCells: 256,
        threads: 1,
        adapters: adapters.files,
      })
    ).model,
  { tolerance: 2e-3 },
);

describe('greedy decoding compared with transformers', () => {
  let longer: TinyModelFile;
  before(async () => {
    longer = await makeTinyModel(128);
  });
  after(() => longer.remove());

  for (const kind of ['kernels', 'llama', 'reference'] as const) {
    it(`the ${kind} engine chooses the same 64 tokens on 24 prompts`, async () => {
      const { model } = await openModel({ path: longer.path, kind, cacheType: 'f32', cacheCells: 256, threads: 1 });
      try {
        for (const { prompt, tokens } of await greedyCases()) {
          const sequence = model.open();
          const chosen: number[] = [];
          let next: readonly number[] = prompt;
          while (chosen.length < tokens.length) {
            const [result] = await model.evaluate([{ sequence, tokens: next, scored: 'last' }]);
            const logits = result!.logits[0]!;
            next = [logits.indexOf(logits.reduce((a, b) => Math.max(a, b)))];
            chosen.push(next[0]!);
          }
          model.release(sequence);
          assert.deepEqual(chosen, tokens);
        }
      } finally {
        await model.close();
      }
    });
  }
});

describe('several threads', () => {
  it('compute the same logits as one thread, for one row and for several', async () => {
    // Flash attention splits a single row over threads from 512 positions on.
    const longer = await makeTinyModel(1024);
    const logits: number[][] = [];
    try {
      for (const threads of [1, 2]) {
        const { model } = await openModel({
          path: longer.path,
          kind: 'llama',
          cacheType: 'f32',
          cacheCells: 1024,
          threads,
        });
        try {
          const sequence = model.open();
          const prompt = Array.from({ length: 600 }, (_, i) => (7 * i) % model.config.vocabSize);
          await model.evaluate([{ sequence, tokens: prompt, scored: 'last' }]);
          const others = [model.fork(sequence), model.fork(sequence)];
          const [alone] = await model.evaluate([{ sequence, tokens: [5], scored: 'last' }]);
          logits.push([...alone!.logits[0]!]);
          const [among] = await model.evaluate(others.map((id) => ({ sequence: id, tokens: [5], scored: 'last' })));
          logits.push([...among!.logits[0]!]);
        } finally {
          await model.close();
        }
      }
    } finally {
      await longer.remove();
    }
    const [first = [], ...rest] = logits;
    for (const other of rest) first.forEach((value, id) => void assert.ok(Math.abs(value - other[id]!) < 2e-3));
  });
});

describe('a batch that is filled up to a multiple of four tokens', () => {
  it('gives each row its logits, and takes no cell that a sequence needs', async () => {
    const longer = await makeTinyModel(128);
    const { model } = await openModel({
      path: longer.path,
      kind: 'llama',
      cacheType: 'f32',
      cacheCells: 256,
      threads: 1,
    });
    try {
      const alone = model.open();
      const [expected] = await model.evaluate([{ sequence: alone, tokens: [5], scored: 'last' }]);
      const row = [...expected!.logits[0]!];
      model.release(alone);
      const three = [model.open(), model.open(), model.open()];
      const next = () => model.evaluate(three.map((sequence) => ({ sequence, tokens: [5], scored: 'last' })));
      for (const { logits } of await next()) {
        logits[0]!.forEach((value, id) => void assert.ok(Math.abs(value - row[id]!) < 2e-3));
      }
      // For the last three tokens there is no cell left for a fourth.
      const { cacheCells } = model.limits;
      for (let length = 2; 3 * length <= cacheCells; length++) await next();
      assert.equal(model.freeCells, cacheCells % 3);
      await assert.rejects(next(), { code: 'cache_full' });
      for (const sequence of three) model.release(sequence);
      assert.equal(model.freeCells, cacheCells);
    } finally {
      await model.close();
      await longer.remove();
    }
  });
});

describe('a snapshot that is not finite', () => {
  for (const cacheType of ['f16', 'f32'] as const) {
    it(`is refused with a cache of ${cacheType}: it would spoil the other sequences`, async () => {
      const { model } = await openModel({ path: file.path, kind: 'llama', cacheType, cacheCells: 256, threads: 1 });
      try {
        const sequence = model.open();
        await model.evaluate([{ sequence, tokens: [5, 6, 7], scored: 'none' }]);
        const bytes = model.snapshot(sequence);
        const free = model.freeCells;
        for (const at of [bytes.byteLength - 4, bytes.byteLength >> 1]) {
          const spoiled = bytes.slice().fill(0xff, at - (at % 4), at - (at % 4) + 4);
          assert.throws(() => model.restore(spoiled, 3), { code: 'snapshot_invalid', message: /finite/ });
        }
        assert.equal(model.freeCells, free);
        assert.equal(model.length(model.restore(bytes, 3)), 3);
      } finally {
        await model.close();
      }
    });
  }
});

describe('opening a model file', () => {
  it('refuses a file that is not GGUF with a CheckpointError', async () => {
    const path = join(file.path, '..', 'noise.gguf');
    await writeFile(path, 'not a model');
    await assert.rejects(openModel({ path }), { name: 'CheckpointError' });
  });

  it('reports the error of llama.cpp for a file that it refuses', async () => {
    const { config, close } = await openGgufWeights(file.path);
    await close();
    const path = join(file.path, '..', 'noise.gguf');
    assert.throws(
      () => openLlamaWeights({ path, config }),
      (error: ModelError) =>
        error instanceof ModelError && error.code === 'model_file_invalid' && /noise\.gguf/.test(error.message),
    );
  });
});
