import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { after, describe, it } from 'node:test';
import { openModel } from '../open-model.ts';
import { adapterGoldens, makeTinyAdapters, TINY_ADAPTERS } from '../tiny-adapters.fixture.ts';
import { makeTinyModel } from '../tiny-model.fixture.ts';

/**
 * Of logits up to about 10. Rows of q and k in the wrong order differ by more than 0.1. llama.cpp's GELU uses a float16 table:
 * the model without adapters differs by 1.1e-3 as well.
 */
const TOLERANCES = { kernels: 2e-5, reference: 2e-5, llama: 2e-3 } as const;

const file = await makeTinyModel();
const adapters = await makeTinyAdapters(file.path);
const golden = await adapterGoldens();
after(() => Promise.all([file.remove(), adapters.remove()]));

describe('adapters compared with PEFT', () => {
  for (const kind of ['kernels', 'llama', 'reference'] as const) {
    it(`the ${kind} engine gives sequences with different adapters, in one batch, PEFT's logits`, async () => {
      const { model, close } = await openModel({
        path: file.path,
        kind,
        cacheType: 'f32',
        threads: 1,
        adapters: adapters.files,
        cacheCells: 256,
      });
      try {
        assert.deepEqual(model.capabilities.adapters, TINY_ADAPTERS);
        const steps = golden.cases.map(({ lora }) => ({
          sequence: model.open(lora),
          tokens: golden.prompt,
          scored: 'all' as const,
        }));
        const results = await model.evaluate(steps);
        for (const [i, { lora, logits }] of golden.cases.entries()) {
          const rows = results[i]!.logits.slice(-logits.length / model.config.vocabSize);
          const got = rows.flatMap((row) => Array.from(row));
          const worst = Math.max(...got.map((value, at) => Math.abs(value - logits[at]!)));
          assert.ok(worst <= TOLERANCES[kind], `${JSON.stringify(lora)}: differs by ${worst}`);
        }
      } finally {
        await close();
      }
    });

    it(`the ${kind} engine leaves out an adapter that is damaged or gone, with a warning`, async () => {
      const broken = await makeTinyAdapters(file.path);
      const [first, second] = broken.files;
      await writeFile(first!.path, 'GGUF');
      await rm(second!.path);
      const opened = await openModel({ path: file.path, kind, threads: 1, adapters: broken.files, cacheCells: 256 });
      try {
        assert.deepEqual(opened.info.adapters, []);
        assert.equal(opened.warnings.filter((line) => /^adapter .* is not loaded: /.test(line)).length, 2);
        assert.throws(() => opened.model.open([{ name: 'rslora', scale: 1 }]), {
          code: 'unknown_adapter',
          message: 'expected an adapter of this model, got "rslora": this model has none',
        });
      } finally {
        await opened.close();
        await broken.remove();
      }
    });
  }
});
