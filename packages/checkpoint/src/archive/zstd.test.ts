import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CheckpointErrorCode } from '../checkpoint-error.ts';
import { assertRefused } from '../reader.contract.ts';
import { MESH_FOLDER, tarBytes } from '../testing/mesh-archives.ts';
import { decompressZstd } from './zstd.ts';

/** The decompressed bytes, of chunks of `chunkBytes`; at most `most` of them. */
async function decompressed(bytes: Uint8Array, chunkBytes = 1000, most = Number.POSITIVE_INFINITY): Promise<Buffer> {
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
  };
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of decompressZstd('x.zst', chunks())) {
    parts.push(part);
    length += part.byteLength;
    if (length >= most) break;
  }
  return Buffer.concat(parts);
}

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];

/** A frame with a window of 2^(10 + exponent) bytes. */
function frame(exponent: number, ...blocks: readonly number[][]): Buffer {
  return Buffer.from([...MAGIC, 0x00, exponent << 3, ...blocks.flat()]);
}

function block(type: number, size: number, isLast: boolean, body: readonly number[]): number[] {
  const fields = (isLast ? 1 : 0) | (type << 1) | (size << 3);
  return [fields & 255, (fields >> 8) & 255, fields >> 16, ...body];
}

const raw = (text: string, isLast: boolean): number[] => block(0, text.length, isLast, [...Buffer.from(text)]);

test('gives the bytes that the command zstd compressed, whatever the chunks', async () => {
  const name = 'slim-f32.tar.zst';
  const bytes = readFileSync(join(MESH_FOLDER, name));
  for (const chunkBytes of [1, 7, 4096, bytes.length]) {
    assert.ok((await decompressed(bytes, chunkBytes)).equals(tarBytes(name)), String(chunkBytes));
  }
});

test('reads frames one after another, and skips those of other data', async () => {
  const skippable = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 5, 0, 0, 0, 1, 2, 3, 4, 5]);
  const bytes = Buffer.concat([
    skippable,
    frame(0, raw('one ', false), raw('two', true)),
    skippable,
    frame(0, raw(' three', true)),
  ]);
  assert.equal((await decompressed(bytes)).toString(), 'one two three');
  assert.equal((await decompressed(bytes, 1)).toString(), 'one two three');
});

test('blocks of one repeated byte are decompressed one at a time', async () => {
  // Half a megabyte of these would be 16 GiB.
  const blocks = Array.from({ length: 131072 }, () => Buffer.from(block(1, 131072, false, [7])));
  const before = process.memoryUsage().arrayBuffers;
  const some = await decompressed(Buffer.concat([frame(8), ...blocks]), 2 ** 18, 2 ** 20);
  assert.ok(some.length <= 2 ** 21 && some.every((byte) => byte === 7));
  assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 26);
});

const REFUSED: readonly (readonly [what: string, bytes: Buffer, code: CheckpointErrorCode, words: RegExp])[] = [
  ['other bytes', Buffer.from('hello world'), 'malformed', /Zstandard frame at byte 0/],
  ['bytes after a frame', Buffer.concat([frame(0, raw('a', true)), Buffer.from('hello')]), 'malformed', /at byte 10/],
  ['a window of 1 GiB', frame(20, raw('a', true)), 'too_large', /window .*1073741824; .*--long=31/],
  ['a window of 2 TiB', frame(31, raw('a', true)), 'too_large', /window/],
  ['one block of 2 TiB', Buffer.from([...MAGIC, 0xe0, 0, 0, 0, 0, 0, 2, 0, 0]), 'too_large', /window/],
  ['a dictionary', Buffer.from([...MAGIC, 0x01, 0x00, 0x07]), 'unsupported', /dictionary/],
  ['a reserved bit', Buffer.from([...MAGIC, 0x08, 0x00]), 'malformed', /reserved bit/],
  ['a reserved block', frame(0, block(3, 4, true, [1, 2, 3, 4])), 'malformed', /type 3/],
  ['a block of 2 MiB', frame(0, block(0, 0x1fffff, true, [])), 'malformed', /at most 131072/],
  [
    'noise in a compressed block',
    frame(0, block(2, 8, true, [255, 255, 255, 255, 1, 2, 3, 4])),
    'malformed',
    /Zstandard/,
  ],
];

for (const [what, bytes, code, words] of REFUSED) {
  test(`refuses ${what}`, async () => {
    await assertRefused(decompressed(bytes), code, words);
  });
}

test('refuses a stream that is cut off anywhere', async () => {
  const bytes = frame(0, raw('one ', false), block(1, 9, false, [3]), raw('two', true));
  for (let cut = 1; cut < bytes.length; cut++) {
    await assertRefused(decompressed(bytes.subarray(0, cut)), cut < 4 ? 'malformed' : 'truncated', /Zstandard/);
  }
});
