import assert from 'node:assert/strict';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { GrowingFile } from '../bounded-file.ts';
import { convertCheckpoint } from '../convert.ts';
import { assertRefused, temporaryFolder } from '../reader.contract.ts';
import { torchFile } from '../testing/torch-file.ts';
import { wideFolder } from '../testing/wide-folder.ts';
import { openPartialConversion } from './partial-conversion.ts';

/** Bytes arrive from the start on, `step` at a time, when a read waits for them; the last `tailBytes` are there at once. */
function arriving(path: string, { step, tailBytes }: { readonly step: number; readonly tailBytes: number }) {
  const { size } = statSync(path);
  let end = step;
  const growing: GrowingFile = {
    path,
    async waitFor(from, to) {
      if (from >= size - tailBytes) return;
      while (end < to) {
        await new Promise(setImmediate);
        end += step;
      }
    },
  };
  return { growing, end: () => end, size };
}

/** The same weights as mesh-transformer-jax's converter writes them: matrices as views of their transposes, the last layer first. */
function transposedFolder(t: TestContext): string {
  const folder = wideFolder(t, 'f16');
  const path = join(folder, 'model.safetensors');
  const bytes = readFileSync(path);
  const start = 8 + Number(bytes.readBigUInt64LE());
  type Entry = { readonly shape: readonly number[]; readonly data_offsets: readonly [number, number] };
  const entries = Object.entries<Entry>(JSON.parse(bytes.subarray(8, start).toString()));
  const tensors = entries.toReversed().map(([name, { shape, data_offsets }]) => {
    const data = bytes.subarray(start + data_offsets[0], start + data_offsets[1]);
    const [rows, columns] = shape;
    if (rows === undefined || columns === undefined) return { name, shape, strides: [1], bytes: data };
    const turned = Buffer.alloc(data.length);
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++)
        turned.writeUInt16LE(data.readUInt16LE(2 * (row * columns + column)), 2 * (column * rows + row));
    return { name, shape, strides: [1, rows], bytes: turned };
  });
  writeFileSync(join(folder, 'pytorch_model.bin'), torchFile(tensors));
  rmSync(path);
  return folder;
}

async function world(t: TestContext, folder: string) {
  const out = temporaryFolder(t);
  const [whole, target] = [join(out, 'whole.gguf'), join(out, 'target.gguf')];
  await convertCheckpoint({ source: folder, target: whole, type: 'f16' });
  const progress: number[] = [];
  const open = (onProgress: () => void = () => {}) =>
    openPartialConversion({
      folder,
      target,
      type: 'f16',
      onProgress: ({ doneBytes, totalBytes }) => {
        progress.push(doneBytes / totalBytes);
        onProgress();
      },
      onWarning: () => {},
      signal: new AbortController().signal,
    });
  return { whole, target, progress, open };
}

for (const [what, file, folderOf] of [
  ['safetensors', 'model.safetensors', (t: TestContext) => wideFolder(t, 'f16')],
  ['.bin whose directory is at its end', 'pytorch_model.bin', transposedFolder],
] as const) {
  test(`a ${what} is converted as its bytes arrive, and gives the bytes of the complete one`, async (t) => {
    const folder = folderOf(t);
    const { whole, target, progress, open } = await world(t, folder);
    const { growing, end, size } = arriving(join(folder, file), { step: 1000, tailBytes: 70_000 });
    let doneBeforeHalf = 0;
    const conversion = await open(() => {
      if (end() < size / 2) doneBeforeHalf = progress.at(-1)!;
    });
    const signal = new AbortController().signal;
    await conversion.convertGrowing(file, growing, { verified: Promise.resolve(), signal });
    assert.ok(conversion.has(file));
    assert.ok(doneBeforeHalf > 0.2, String(doneBeforeHalf));
    await conversion.finish();
    assert.deepEqual(readFileSync(target), readFileSync(whole));
  });
}

test('what came from bytes that were not verified counts for nothing, and is converted again', async (t) => {
  const folder = wideFolder(t, 'bf16');
  const { whole, target, progress, open } = await world(t, folder);
  const file = 'model.safetensors';
  const path = join(folder, file);
  const conversion = await open();
  const signal = new AbortController().signal;
  const wrong = Promise.reject(new Error('the hash is wrong'));
  wrong.catch(() => {});
  const growing: GrowingFile = { path, waitFor: async () => {} };
  await assert.rejects(conversion.convertGrowing(file, growing, { verified: wrong, signal }), /the hash is wrong/);
  assert.equal(conversion.has(file), false);
  await assertRefused(conversion.finish(), 'missing_tensor', /expected it/);
  // A read that fails in the middle of a tensor.
  let reads = 0;
  const breaking: GrowingFile = {
    path,
    waitFor: async () => {
      if (++reads > 8) throw new Error('the download has ended');
    },
  };
  const verified = Promise.resolve();
  await assert.rejects(conversion.convertGrowing(file, breaking, { verified, signal }), /the download has ended/);
  progress.length = 0;
  await conversion.convertGrowing(file, growing, { verified, signal });
  assert.ok(Math.max(...progress) <= 1);
  await conversion.finish();
  assert.deepEqual(readFileSync(target), readFileSync(whole));
});

test('a file that is not verified may be of another type than the one that is', async (t) => {
  const folder = wideFolder(t, 'f32');
  const { whole, target, open } = await world(t, folder);
  const file = 'model.safetensors';
  const right = readFileSync(join(folder, file));
  const other = readFileSync(join(wideFolder(t, 'f16'), file));
  const conversion = await open();
  const signal = new AbortController().signal;
  const growing: GrowingFile = { path: join(folder, file), waitFor: async () => {} };
  const wrong = Promise.reject(new Error('the hash is wrong'));
  wrong.catch(() => {});
  writeFileSync(join(folder, file), other);
  await assert.rejects(conversion.convertGrowing(file, growing, { verified: wrong, signal }), /the hash is wrong/);
  writeFileSync(join(folder, file), right);
  await conversion.convertGrowing(file, growing, { verified: Promise.resolve(), signal });
  await conversion.finish();
  assert.deepEqual(readFileSync(target), readFileSync(whole));
});
