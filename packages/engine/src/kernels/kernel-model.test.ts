import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openGgufWeights } from '@gptj-cloud/checkpoint';
import { type InstructionSet, instructionSetsUpTo, loadKernels } from '@gptj-cloud/kernels';
import type { LanguageModel, TokenId } from '@gptj-cloud/model';
import { copied } from '../held-sequences.fixture.ts';
import { describeLanguageModel } from '../language-model.contract.ts';
import { makeTinyAdapters } from '../tiny-adapters.fixture.ts';
import { makeTinyModel } from '../tiny-model.fixture.ts';
import { openKernelWeights } from './kernel-weights.ts';

const NANO = fileURLToPath(new URL('../../../../models/gptj-nano/gptj-nano-q8_0.gguf', import.meta.url));
const file = await makeTinyModel();
const adapters = await makeTinyAdapters(file.path);
after(() => Promise.all([file.remove(), adapters.remove()]));

interface Opened {
  readonly model: LanguageModel;
  close(): Promise<void>;
}

async function open(
  path: string,
  {
    threads = 2,
    cells = 256,
    type = 'f16',
    set,
    files = [],
  }: {
    threads?: number;
    cells?: number;
    type?: 'f16' | 'f32';
    set?: InstructionSet;
    files?: typeof adapters.files;
  } = {},
): Promise<Opened> {
  const weights = await openGgufWeights(path);
  await weights.close();
  const packed = await openKernelWeights({
    path,
    config: weights.config,
    threads,
    adapters: files,
    ...(set === undefined ? {} : { set }),
  });
  const model = packed.openModel({ cells, type });
  return { model, close: () => model.close().then(() => packed.close()) };
}

/** The sets of this processor: each also runs on those that have a faster one. */
const sets = instructionSetsUpTo(loadKernels().fastest);

for (const set of sets) {
  for (const type of ['f16', 'f32'] as const) {
    let opened: Opened;
    describeLanguageModel(
      `the kernels on ${set} with a cache of ${type}`,
      async () => {
        opened = await open(file.path, { set, type, files: adapters.files });
        return opened.model;
      },
      { tolerance: 0 },
    );
  }
}

/** Logits of a text of 150 tokens, evaluated in slices of these lengths, beside `others` other sequences. */
async function logitsOf(
  model: LanguageModel,
  slices: readonly number[],
  others: number,
): Promise<readonly Float32Array[]> {
  const text = Array.from({ length: 150 }, (_, i): TokenId => (i * 7919 + 13) % model.config.vocabSize);
  const sequence = model.open();
  const beside = Array.from({ length: others }, () => model.open());
  const rows: Float32Array[] = [];
  let at = 0;
  for (const length of slices) {
    const results = await model.evaluate([
      ...beside.map((other) => ({ sequence: other, tokens: text.slice(0, 3), scored: 'last' as const })),
      { sequence, tokens: text.slice(at, at + length), scored: 'all' },
    ]);
    rows.push(...copied(results.at(-1)!).logits);
    at += length;
  }
  for (const each of [sequence, ...beside]) model.release(each);
  return rows;
}

describe('the bits of the kernels', () => {
  it('do not depend on slices, company, threads or the instruction set', async () => {
    let expected: readonly Float32Array[] | null = null;
    for (const set of sets) {
      for (const threads of [1, 2, 3, 8]) {
        const { model, close } = await open(NANO, { set, threads, cells: 512 });
        try {
          for (const [slices, others] of [
            [[150], 0],
            [[1, 2, 3, 5, 7, 11, 17, 31, 73], 0],
            [[60, 90], 7],
          ] as const) {
            const rows = await logitsOf(model, slices, others);
            expected ??= rows;
            assert.deepEqual(rows.length, expected.length);
            for (const [i, row] of rows.entries()) {
              assert.ok(
                Buffer.from(row.buffer).equals(Buffer.from(expected[i]!.buffer)),
                `${set}, ${threads}: row ${i}`,
              );
            }
          }
        } finally {
          await close();
        }
      }
    }
  });
});

it('refuse an instruction set that the processor does not have, and name those that it has', async () => {
  const set = sets.includes('NEON') ? 'AVX2' : 'NEON';
  await assert.rejects(open(file.path, { set }), { code: 'unsupported', message: new RegExp(sets.join(', ')) });
});
