import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { CheckpointErrorCode } from '../checkpoint-error.ts';
import { assertRefused, assertSurvivesDamage, fixture, readBytes, temporaryFolder } from '../reader.contract.ts';
import { readSafetensorsHeader } from './header.ts';

/** A file with this header text, and `dataBytes` zeros after it. */
function file(header: string, dataBytes = 16, declared = Buffer.byteLength(header)): Uint8Array {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(declared));
  return Buffer.concat([length, Buffer.from(header), Buffer.alloc(dataBytes)]);
}

const entry = (shape: unknown, offsets: unknown, dtype: unknown = 'F32'): string =>
  JSON.stringify({ dtype, shape, data_offsets: offsets });

test('reads name, shape, type and offset of every tensor and skips the metadata', async (t) => {
  const bytes = file(
    `{"__metadata__":{"format":"pt"},"a":${entry([2, 2], [0, 16])},"b":${entry([], [16, 17], 'U8')}}`,
    17,
  );
  const tensors = await readBytes(temporaryFolder(t), bytes, readSafetensorsHeader);
  const start = bytes.byteLength - 17;
  assert.deepEqual(tensors, [
    { name: 'a', shape: [2, 2], strides: [2, 1], storedType: 'F32', type: 'f32', offset: start },
    { name: 'b', shape: [], strides: [], storedType: 'U8', type: null, offset: start + 16 },
  ]);
});

test('accepts tensors of other types and of many dimensions', async (t) => {
  const shape = [1, 1, 1, 1, 1, 1, 1, 1, 2];
  const header = ['F64', 'F8_E4M3', 'C64', 'F4'].map((dtype, i) => {
    const [start, end] = [
      [0, 16],
      [16, 18],
      [18, 34],
      [34, 35],
    ][i]!;
    return `"${dtype}":${entry(shape, [start, end], dtype)}`;
  });
  const tensors = await readBytes(temporaryFolder(t), file(`{${header.join()}}`, 35), readSafetensorsHeader);
  assert.deepEqual(
    tensors.map(({ type }) => type),
    ['f64', null, null, null],
  );
});

const REFUSED: readonly (readonly [what: string, bytes: Uint8Array, code: CheckpointErrorCode, words: RegExp])[] = [
  ['an empty file', new Uint8Array(0), 'truncated', /expected 8 bytes/],
  ['a header longer than the file', file('{}', 0, 100), 'truncated', /got a file of 10 bytes/],
  ['a header of 16 exabytes', file('{}', 0).fill(0xff, 0, 8), 'too_large', /18446744073709551615/],
  ['text that is not JSON', file('{"a":'), 'malformed', /JSON/],
  ['bytes that are not UTF-8', file('{"a":1}').fill(0xff, 9, 11), 'malformed', /JSON/],
  ['a list', file('[]'), 'malformed', /object/],
  [
    'metadata of another type than strings',
    file('{"__metadata__":{"step":1}}', 0),
    'malformed',
    /strings, got \{"step":1/,
  ],
  ['metadata that is an array', file('{"__metadata__":[]}', 0), 'malformed', /__metadata__/],
  ['an error message in its place', Buffer.from('Entry not found'), 'unsupported', /begins with "Entry not found"/],
  ['a JSON error in its place', Buffer.from('{"error":"Repository not found"}'), 'unsupported', /the download failed/],
  ['an entry without offsets', file('{"a":{"dtype":"F32","shape":[]}}'), 'malformed', /data_offsets/],
  ['an entry that is null', file('{"a":null}'), 'malformed', /a: expected \{dtype/],
  ['an unknown type', file(`{"a":${entry([4], [0, 4], 'F9')}}`), 'unsupported', /F9/],
  ['bytes after the last tensor', file(`{"a":${entry([3], [0, 12])}}`), 'malformed', /4 more bytes/],
  [
    'a gap before the first tensor',
    file(`{"a":${entry([3], [4, 16])}}`),
    'malformed',
    /gap of 4 bytes after the header/,
  ],
  ['a Git LFS pointer', Buffer.from('version https://git-lfs.github.com/spec/v1\n'), 'unsupported', /Git LFS pointer/],
  ['a type that is a number', file(`{"a":${entry([4], [0, 16], 3)}}`), 'malformed', /dtype/],
  ['a negative size', file(`{"a":${entry([-4], [0, 16])}}`), 'malformed', /shape/],
  ['a fraction in the shape', file(`{"a":${entry([0.5], [0, 2])}}`), 'malformed', /shape/],
  ['65 dimensions', file(`{"a":${entry(new Array(65).fill(1), [0, 4])}}`), 'malformed', /at most 64/],
  ['three offsets', file(`{"a":${entry([4], [0, 8, 16])}}`), 'malformed', /\[start, end\]/],
  ['more bytes than the shape has', file(`{"a":${entry([3], [0, 16])}}`), 'wrong_shape', /expected 12 bytes.*got 16/],
  ['offsets that run backwards', file(`{"a":${entry([4], [16, 0])}}`), 'wrong_shape', /got -16/],
  [
    'a shape beyond all numbers',
    file(`{"a":${entry([9007199254740991, 9007199254740991], [0, 16])}}`),
    'wrong_shape',
    /got 16/,
  ],
  ['data past the end of the file', file(`{"a":${entry([5], [0, 20])}}`), 'truncated', /expected data up to byte/],
  [
    'two tensors on the same bytes',
    file(`{"a":${entry([3], [0, 12])},"b":${entry([2], [8, 16])}}`),
    'malformed',
    /also belong to a/,
  ],
  [
    'a tensor inside another',
    file(`{"a":${entry([4], [0, 16])},"b":${entry([1], [4, 8])}}`),
    'malformed',
    /also belong to a/,
  ],
  [
    'a name that comes twice',
    file(`{"a":${entry([2], [0, 8])},"\\u0061":${entry([2], [8, 16])}}`),
    'duplicate_tensor',
    /got two/,
  ],
];

for (const [what, bytes, code, words] of REFUSED) {
  test(`${what} is refused with ${code}`, async (t) => {
    await assertRefused(readBytes(temporaryFolder(t), bytes, readSafetensorsHeader), code, words);
  });
}

test('reads a name that contains quotes, braces and commas', async (t) => {
  const name = 'x","y":{"shape":[';
  const bytes = file(`{${JSON.stringify(name)}:${entry([4], [0, 16])}}`);
  const tensors = await readBytes(temporaryFolder(t), bytes, readSafetensorsHeader);
  assert.deepEqual(
    tensors.map((tensor) => tensor.name),
    [name],
  );
});

test('reads damaged headers or refuses them with a CheckpointError', async (t) => {
  const folder = temporaryFolder(t);
  const bytes = readFileSync(`${fixture('safetensors-f16')}/model.safetensors`);
  const headerEnd = 8 + Number(bytes.readBigUInt64LE(0));
  await assertSurvivesDamage({
    bytes,
    ranges: [
      [0, 8],
      [8, headerEnd],
      [8, headerEnd],
      [8, headerEnd],
    ],
    rounds: 1500,
    read: (damaged) => readBytes(folder, damaged, readSafetensorsHeader),
  });
});
