import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { type AdapterLayer, type LanguageModel, parseGptjConfig } from '@gptj-cloud/model';
import { readAdapters } from '../adapters/read-adapters.ts';
import { describeLanguageModel } from '../language-model.contract.ts';
import { makeTinyAdapters } from '../tiny-adapters.fixture.ts';
import { makeTinyModel } from '../tiny-model.fixture.ts';
import type { WeightSource } from './gptj.ts';
import { openReferenceModel } from './reference-model.ts';

/** Made by fixtures/make_tiny_gptj.py with transformers 5.18.0 in float32; the largest difference is 1e-5, of logits up to 10. */
const TOLERANCE = 2e-5;

interface GoldenCase {
  readonly tokens: readonly number[];
  /** Position of the first row kept. */
  readonly firstRow: number;
  readonly logits: string;
  readonly hidden: string;
  readonly exits: readonly string[];
}

const fixture = (name: string): Buffer => readFileSync(new URL(`../../fixtures/${name}`, import.meta.url));
const golden: { readonly config: unknown; readonly cases: readonly GoldenCase[] } = JSON.parse(
  fixture('tiny-gptj.json').toString('utf8'),
);

/** The fixture's weights. A safetensors file is the header's length, the header, and the values. */
function tinyWeights(): WeightSource {
  const file = fixture('tiny-gptj.safetensors');
  const start = 8 + Number(file.readBigUInt64LE(0));
  const header: Record<string, { readonly data_offsets: readonly [number, number] }> = JSON.parse(
    file.toString('utf8', 8, start),
  );
  return {
    config: parseGptjConfig(golden.config),
    async tensor(name) {
      const [from, to] = header[name]!.data_offsets;
      return floats(file.subarray(start + from, start + to));
    },
  };
}

/** Little-endian float32, copied to an aligned address. */
function floats(bytes: Uint8Array): Float32Array {
  return new Float32Array(Uint8Array.from(bytes).buffer);
}

const open = async (): Promise<LanguageModel> =>
  openReferenceModel({
    weights: tinyWeights(),
    adapters: await tinyAdapters(),
    cacheCells: 150,
    maxSequences: 12,
    maxBatchTokens: 128,
  });

async function tinyAdapters(): Promise<ReadonlyMap<string, readonly AdapterLayer[]>> {
  const file = await makeTinyModel();
  const adapters = await makeTinyAdapters(file.path);
  const loaded = new Map<string, readonly AdapterLayer[]>();
  const { config } = tinyWeights();
  await readAdapters(adapters.files, config, 'original', ({ name }, { layers }) => loaded.set(name, layers));
  await Promise.all([file.remove(), adapters.remove()]);
  return loaded;
}

describe('the reference engine compared with transformers', () => {
  for (const { tokens, firstRow, logits, hidden, exits } of golden.cases) {
    it(`computes the logits, hidden states and early exits of a prompt of ${tokens.length}`, async () => {
      const model = await open();
      try {
        const step = { sequence: model.open(), tokens, scored: 'all', hidden: true, layers: [0, 1] } as const;
        const [result] = await model.evaluate([step]);
        const close = (rows: readonly Float32Array[], golden: string, name: string): void => {
          const expected = floats(Buffer.from(golden, 'base64'));
          const got = Float32Array.from(rows.slice(firstRow).flatMap((row) => Array.from(row)));
          assert.equal(got.length, expected.length, name);
          const difference = got.reduce((max, value, i) => Math.max(max, Math.abs(value - expected[i]!)), 0);
          assert.ok(difference <= TOLERANCE, `${name}: they differ by ${difference}`);
        };
        close(result!.logits, logits, 'logits');
        close(result!.hidden, hidden, 'hidden');
        exits.forEach((expected, layer) => {
          close(result!.layers[layer]!, expected, `exit at layer ${layer}`);
        });
      } finally {
        await model.close();
      }
    });
  }

  it('refuses a tensor whose size does not match the config', async () => {
    const source = tinyWeights();
    const weights: WeightSource = {
      config: source.config,
      tensor: async (name) => (name === 'lm_head.bias' ? new Float32Array(383) : source.tensor(name)),
    };
    await assert.rejects(openReferenceModel({ weights }), {
      code: 'model_file_invalid',
      message: /lm_head\.bias.*384.*383/,
    });
  });
});

describeLanguageModel('the reference engine', open, { tolerance: 0 });
