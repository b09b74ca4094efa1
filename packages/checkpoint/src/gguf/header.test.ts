import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CheckpointErrorCode } from '../checkpoint-error.ts';
import { assertRefused, assertSurvivesDamage, readBytes, temporaryFolder } from '../reader.contract.ts';
import { readGgufHeader } from './header.ts';
import { ggufHeaderBytes } from './header-bytes.ts';
import type { GgufValue } from './metadata.ts';

const METADATA: ReadonlyMap<string, GgufValue> = new Map<string, GgufValue>([
  ['u8', { type: 'uint8', value: 255 }],
  ['i8', { type: 'int8', value: -128 }],
  ['u16', { type: 'uint16', value: 65535 }],
  ['i16', { type: 'int16', value: -32768 }],
  ['u32', { type: 'uint32', value: 4294967295 }],
  ['i32', { type: 'int32', value: -2147483648 }],
  ['u64', { type: 'uint64', value: 18446744073709551615n }],
  ['i64', { type: 'int64', value: -9223372036854775808n }],
  ['f32', { type: 'float32', value: 0.5 }],
  ['f64', { type: 'float64', value: 1e-5 }],
  ['bool', { type: 'bool', value: true }],
  ['string', { type: 'string', value: '\uFEFFĠé€𝄞' }],
  ['strings', { type: 'array', of: 'string', value: ['a', '', 'Ġt'] }],
  ['numbers', { type: 'array', of: 'int32', value: [1, -1, 5] }],
  ['bools', { type: 'array', of: 'bool', value: [true, false] }],
  ['bigs', { type: 'array', of: 'uint64', value: [0n, 1n << 63n] }],
]);

const TENSORS = [
  { name: 'a', shape: [3, 5], type: 'f16' },
  { name: 'b', shape: [2, 32], type: 'q8_0' },
] as const;

/** Data of `a`: 30 bytes and 2 of padding; of `b`: 68. */
const whole = Buffer.concat([ggufHeaderBytes(METADATA, TENSORS), Buffer.alloc(32 + 68)]);

test('reads every kind of metadata and the tensor table as written', async (t) => {
  const { metadata, tensors } = await readBytes(temporaryFolder(t), whole, readGgufHeader);
  assert.deepEqual(metadata, METADATA);
  const dataStart = whole.length - 100;
  assert.equal(dataStart % 32, 0);
  assert.deepEqual(tensors, [
    { name: 'a', shape: [3, 5], type: 'f16', typeId: 1, offset: dataStart, sizeBytes: 30 },
    { name: 'b', shape: [2, 32], type: 'q8_0', typeId: 8, offset: dataStart + 32, sizeBytes: 68 },
  ]);
});

test('reads a header longer than the first read, whatever value crosses the boundary', async (t) => {
  const folder = temporaryFolder(t);
  for (const filler of [1 << 20, (1 << 20) - 1, (1 << 20) - 60, 5 << 20]) {
    const metadata = new Map<string, GgufValue>([
      ['long', { type: 'string', value: 'x'.repeat(filler) }],
      ['strings', { type: 'array', of: 'string', value: Array.from({ length: 2000 }, (_, i) => `token ${i}`) }],
      ...METADATA,
    ]);
    const bytes = Buffer.concat([ggufHeaderBytes(metadata, TENSORS), Buffer.alloc(100)]);
    assert.deepEqual((await readBytes(folder, bytes, readGgufHeader)).metadata, metadata);
  }
});

/** The file with a field of `size` bytes at `offset` after the first place of `marker` set to `value`. */
function changed(marker: string, offset: number, size: 4 | 8, value: bigint): Buffer {
  const copy = Buffer.from(whole);
  const at = marker === '' ? offset : copy.indexOf(marker) + marker.length + offset;
  if (size === 4) copy.writeUInt32LE(Number(value), at);
  else copy.writeBigUInt64LE(value, at);
  return copy;
}

/** Where tensor `name`'s info goes on after its name: dimensions, sizes, type, offset. */
const info = (name: string): string => `\x01\0\0\0\0\0\0\0${name}\x02\0\0\0`;

const REFUSED: readonly (readonly [what: string, bytes: Uint8Array, code: CheckpointErrorCode, words: RegExp])[] = [
  ['an empty file', new Uint8Array(0), 'truncated', /expected 4 bytes/],
  ['another magic', changed('', 0, 4, 0x67676d00n), 'malformed', /begins with the bytes 00 6d 67 67/],
  ['the magic of ggml', changed('', 0, 4, 0x67676d6cn), 'malformed', /got a ggml file from before GGUF: convert it/],
  ['version 2', changed('', 4, 4, 2n), 'unsupported', /version 3, got 2/],
  ['a big-endian file', changed('', 4, 4, 0x03000000n), 'unsupported', /big-endian/],
  ['2^60 tensors', changed('', 8, 8, 1n << 60n), 'too_large', /number of tensors/],
  ['2^60 pairs', changed('', 16, 8, 1n << 60n), 'too_large', /metadata pairs/],
  ['more pairs than the file has', changed('', 16, 8, 100n), 'too_large', /metadata key 17/],
  ['a key of 2^40 bytes', changed('', 24, 8, 1n << 40n), 'too_large', /metadata key 0/],
  ['a string past the end', changed('string', 4, 8, 1n << 20n), 'truncated', /expected 1048576 bytes/],
  ['an array of 2^21 items in a small file', changed('numbers', 8, 8, 1n << 21n), 'truncated', /expected/],
  ['an array of 2^62 items', changed('numbers', 8, 8, 1n << 62n), 'too_large', /items of numbers/],
  ['an array of arrays', changed('numbers', 4, 4, 9n), 'unsupported', /array of arrays/],
  ['an unknown value type', changed('u32', 0, 4, 77n), 'unsupported', /type 77/],
  ['a key that comes twice', Buffer.from(whole.toString('latin1').replace('i8', 'u8'), 'latin1'), 'malformed', /"u8"/],
  [
    'a tensor name that comes twice',
    Buffer.from(whole.toString('latin1').replace(info('b'), info('a')), 'latin1'),
    'duplicate_tensor',
    /got two/,
  ],
  ['five dimensions', changed(info('a'), -4, 4, 5n), 'malformed', /at most 4 dimensions/],
  ['a shape beyond all files', changed(info('a'), 0, 8, 1n << 52n), 'malformed', /fits in a file/],
  ['a negative size', changed(info('a'), 0, 8, 0xffffffffffffffffn), 'too_large', /dimension of a/],
  ['rows that do not divide into blocks', changed(info('a'), 16, 4, 8n), 'wrong_shape', /multiple of 32 for q8_0/],
  ['data past the end of the file', changed(info('b'), 8, 8, 3n), 'truncated', /b: expected data up to byte/],
  ['an offset that is not aligned', changed(info('a'), 20, 8, 8n), 'malformed', /multiple of 32/],
  ['two tensors on the same bytes', changed(info('b'), 20, 8, 0n), 'malformed', /also belong to/],
];

for (const [what, bytes, code, words] of REFUSED) {
  test(`${what}: refused with ${code}`, async (t) => {
    await assertRefused(readBytes(temporaryFolder(t), bytes, readGgufHeader), code, words);
  });
}

test('an alignment that is no power of two is refused', async (t) => {
  for (const value of [0, 7, 33, 2 ** 31]) {
    const bytes = ggufHeaderBytes(new Map([['general.alignment', { type: 'uint32', value }]]), []);
    await assertRefused(readBytes(temporaryFolder(t), bytes, readGgufHeader), 'malformed', /power of two/);
  }
});

test('reads damaged headers or refuses them with a CheckpointError', async (t) => {
  const folder = temporaryFolder(t);
  await assertSurvivesDamage({
    bytes: whole,
    ranges: [
      [0, 24],
      [24, whole.length - 100],
      [24, whole.length - 100],
    ],
    rounds: 2500,
    read: (damaged) => readBytes(folder, damaged, readGgufHeader),
  });
});
