/**
 * A program that opens mutated copies of a GGUF file on the kernels: `node mutated-files.fixture.js FILE SEED COUNT`. Each
 * copy must fail with a typed error or evaluate a few tokens. It prints how many did which.
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CheckpointError, openGgufWeights } from '@gptj-cloud/checkpoint';
import { ModelError } from '@gptj-cloud/model';
import { openKernelWeights } from './kernel-weights.ts';

const [path, seed, count] = process.argv.slice(2);
if (path === undefined || seed === undefined || count === undefined) throw new Error('expected FILE SEED COUNT');

/** Metadata and the list of tensors come first; most mutations go there. */
const HEADER_BYTES = 10 * 1024;
const EXTREMES = [
  0n,
  1n,
  2n,
  14n,
  30n,
  31n,
  255n,
  256n,
  65_535n,
  1n << 31n,
  (1n << 32n) - 1n,
  1n << 53n,
  (1n << 64n) - 1n,
];

let state = 0;
function random(below: number): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
}

function mutate(original: Buffer): Buffer {
  let bytes = Buffer.from(original);
  for (let left = 1 + random(4); left > 0; left--) {
    const within = random(4) === 0 ? bytes.length : Math.min(HEADER_BYTES, bytes.length);
    const at = random(within - 8);
    const kind = random(10);
    if (kind < 4) bytes[at] = random(256);
    else if (kind < 6) bytes.writeBigUInt64LE(EXTREMES[random(EXTREMES.length)]!, at);
    else if (kind < 8) bytes.writeUInt32LE(Number(EXTREMES[random(EXTREMES.length)]! & 0xffff_ffffn), at);
    else if (kind < 9) bytes.copyWithin(at, random(within - 8), random(within));
    else if (random(4) === 0) bytes = bytes.subarray(0, Math.max(64, random(bytes.length)));
  }
  return bytes;
}

async function evaluate(file: string): Promise<void> {
  const stored = await openGgufWeights(file);
  await stored.close();
  const config = { ...stored.config, contextLength: Math.min(stored.config.contextLength, 64) };
  const weights = await openKernelWeights({ path: file, config, threads: 1 });
  try {
    const model = weights.openModel({ cells: 64, type: 'f16' });
    try {
      await model.evaluate([{ sequence: model.open(), tokens: [0, 1, config.vocabSize - 1], scored: 'all' }]);
    } finally {
      await model.close();
    }
  } finally {
    weights.close();
  }
}

const original = await readFile(path);
const file = join(tmpdir(), `gptj-mutated-${process.pid}.gguf`);
let failed = 0;
try {
  for (let i = 0; i < Number(count); i++) {
    state = Number(seed) + i * 7919;
    await writeFile(file, mutate(original));
    try {
      await evaluate(file);
    } catch (error) {
      if (!(error instanceof CheckpointError || error instanceof ModelError)) {
        throw new Error(`mutation ${seed} + ${i}: ${String(error)}`, { cause: error });
      }
      failed++;
    }
  }
} finally {
  await rm(file, { force: true });
}
console.log(JSON.stringify({ failed, evaluated: Number(count) - failed }));
