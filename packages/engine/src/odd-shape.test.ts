/**
 * A fine-tune whose sizes are not those of GPT-J-6B: fixtures/odd-gptj.*, made by make_odd_shape.py with transformers 5.18.0 in
 * float32. All dimensions of a head are rotated, positions go past 2048, the vocabulary is a multiple of nothing, the
 * feed-forward layer is not four times as wide, and the activation has the other name of gelu_new.
 */
import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CheckpointError, convertCheckpoint } from '@gptj-cloud/checkpoint';
import { openModel } from './open-model.ts';
import { byteTokenizer } from './tiny-model.fixture.ts';

const FIXTURES = fileURLToPath(new URL('../fixtures/', import.meta.url));

interface Golden {
  readonly config: Readonly<Record<string, unknown>>;
  readonly cases: readonly { readonly length: number; readonly logits: string }[];
}

let folder: string;
let path: string;
let golden: Golden;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gptj-odd-'));
  golden = JSON.parse(await readFile(join(FIXTURES, 'odd-gptj.json'), 'utf8'));
  await copyFile(join(FIXTURES, 'odd-gptj.safetensors'), join(folder, 'model.safetensors'));
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(byteTokenizer(397)));
  await writeFile(join(folder, 'config.json'), JSON.stringify(golden.config));
  path = join(folder, 'odd.gguf');
  await convertCheckpoint({ source: folder, target: path, type: 'f32' });
});
after(() => rm(folder, { recursive: true }));

/** llama.cpp's GELU is a table of float16; logits are up to about 10. */
const TOLERANCE = { reference: 2e-5, kernels: 1e-4, llama: 5e-3 } as const;

for (const kind of ['reference', 'kernels', 'llama'] as const) {
  test(`the ${kind} engine gives the logits of transformers, also past position 2048`, async () => {
    const { model, info, close } = await openModel({ path, kind, cacheType: 'f32', cacheCells: 2304, threads: 1 });
    try {
      assert.deepEqual(
        [info.config.vocabSize, info.config.contextLength, info.config.rotaryDim, info.config.eosTokenIds],
        [397, 2304, 32, [396, 5]],
      );
      for (const { length, logits } of golden.cases) {
        const bytes = Buffer.from(logits, 'base64');
        const expected = Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
        const prompt = Array.from({ length }, (_, i) => (i * i * 7 + i) % 397);
        const sequence = model.open();
        let last: Float32Array | undefined;
        for (let at = 0; at < length; at += 256) {
          const [result] = await model.evaluate([{ sequence, tokens: prompt.slice(at, at + 256), scored: 'last' }]);
          last = result?.logits[0]?.slice();
        }
        model.release(sequence);
        const worst = Math.max(...expected.map((value, i) => Math.abs(value - (last?.[i] ?? Number.NaN))));
        assert.ok(worst <= TOLERANCE[kind], `${length} tokens: logits differ by ${worst}`);
      }
    } finally {
      await close();
    }
  });
}

const REFUSED: readonly (readonly [fields: Readonly<Record<string, unknown>>, message: RegExp])[] = [
  [{ activation_function: 'gelu' }, /activation_function: expected "gelu_new".*got "gelu"/],
  [{ activation_function: 'relu' }, /activation_function: expected "gelu_new".*got "relu"/],
  [{ rotary_dim: null }, /rotary_dim: expected an integer from 2 to \d+, got null/],
  [{ rotary_dim: 31 }, /rotary_dim: expected an even number up to the head size 32, got 31/],
  [{ model_type: 'gpt_neox' }, /model_type: expected "gptj", got "gpt_neox"/],
];

for (const [fields, message] of REFUSED) {
  test(`a fine-tune with ${JSON.stringify(fields)} is refused by that name`, async () => {
    await writeFile(join(folder, 'config.json'), JSON.stringify({ ...golden.config, ...fields }));
    await assert.rejects(
      convertCheckpoint({ source: folder, target: join(folder, 'no.gguf'), type: 'f32' }),
      (error) => {
        assert.ok(error instanceof CheckpointError && error.code === 'invalid_config');
        assert.match(error.message, message);
        return true;
      },
    );
  });
}
