import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { CheckpointErrorCode } from '../checkpoint-error.ts';
import { assertRefused, assertSurvivesDamage, fixture, readBytes, temporaryFolder } from '../reader.contract.ts';
import { createRowReader } from '../strided-rows.ts';
import { readPytorchHeader } from './header.ts';

const legacy = readFileSync(fixture('legacy.bin'));
const whole = readFileSync(`${fixture('pytorch-f32')}/pytorch_model.bin`);

/** The archive with one byte sequence put in place of another of the same length, everywhere. */
function swapped(from: string | Buffer, to: string | Buffer, bytes: Buffer = whole): Buffer {
  const [search, replacement] = [Buffer.from(from), Buffer.from(to)];
  assert.equal(search.length, replacement.length);
  const copy = Buffer.from(bytes);
  let count = 0;
  for (let at = copy.indexOf(search); at >= 0; at = copy.indexOf(search, at + 1), count++) replacement.copy(copy, at);
  assert.ok(count > 0, 'the fixture lacks what the test wants to change');
  return copy;
}

test('reads the offsets of tensors as torch stored them', async (t) => {
  const tensors = await readBytes(temporaryFolder(t), whole, readPytorchHeader);
  const bias = tensors.find(({ name }) => name === 'lm_head.bias');
  assert.deepEqual(
    { ...bias, offset: 0 },
    { name: 'lm_head.bias', shape: [24], strides: [1], storedType: 'FloatStorage', type: 'f32', offset: 0 },
  );
  const values: Record<string, Record<string, number[]>> = JSON.parse(readFileSync(fixture('values.json'), 'utf8'));
  for (const [i, value] of (values.f32?.['lm_head.bias'] ?? []).entries()) {
    assert.equal(whole.readFloatLE((bias?.offset ?? 0) + 4 * i), value);
  }
});

/** All elements of the only tensor of a file, row by row. */
async function elementsOf(folder: string, bytes: Uint8Array): Promise<readonly number[]> {
  return readBytes(folder, bytes, async (source) => {
    const [tensor] = await readPytorchHeader(source);
    assert.ok(tensor?.type === 'f32');
    const target = new Float32Array(6);
    await createRowReader({ ...tensor, type: tensor.type, source }).read(0, new Uint8Array(target.buffer));
    return [...target];
  });
}

test('a transposed tensor is read by its strides', async (t) => {
  const transposed = readFileSync(fixture('transposed.bin'));
  assert.deepEqual(await elementsOf(temporaryFolder(t), transposed), [0, 3, 1, 4, 2, 5]);
});

test('the format before PyTorch 1.6 is read', async (t) => {
  assert.deepEqual(await elementsOf(temporaryFolder(t), legacy), [0, 1, 2, 3, 4, 5]);
});

test('bytes after the archive are ignored', async (t) => {
  for (const count of [1, 100, 60_000]) {
    const longer = Buffer.concat([whole, Buffer.alloc(count, 0x50)]);
    assert.equal((await readBytes(temporaryFolder(t), longer, readPytorchHeader)).length, 25);
  }
});

test('reads a zip64 archive with a comment', async (t) => {
  const commented = Buffer.concat([whole, Buffer.from('hello')]);
  commented.writeUInt16LE(5, whole.length - 2);
  const tensors = await readBytes(temporaryFolder(t), commented, readPytorchHeader);
  assert.equal(tensors.length, 25);
  assert.ok(whole.includes(Buffer.from([0x50, 0x4b, 0x06, 0x06])), 'torch writes a zip64 end record');
});

const central = Buffer.from([0x50, 0x4b, 0x01, 0x02]);

/** The archive with a field of the first directory entry changed. */
function withEntryField(offset: number, value: number): Buffer {
  const copy = Buffer.from(whole);
  copy.writeUInt16LE(value, copy.indexOf(central) + offset);
  return copy;
}

/** The archive whose first entry's local header claims 65,535 bytes of padding. */
function withLongHeader(): Buffer {
  const copy = Buffer.from(whole);
  copy.writeUInt16LE(0xffff, 28);
  return copy;
}

const REFUSED: readonly (readonly [what: string, bytes: Uint8Array, code: CheckpointErrorCode, words: RegExp])[] = [
  ['an empty file', new Uint8Array(0), 'unsupported', /interrupted download/],
  ['an old file that is cut off', legacy.subarray(0, legacy.length - 1), 'truncated', /expected data up to byte/],
  ['an old file whose pickle is cut off', legacy.subarray(0, 60), 'malformed', /expected/],
  ['a pickle of something else', Buffer.from([0x80, 2, 0x4b, 1, 0x2e]), 'unsupported', /magic number/],
  ['an HTML page', Buffer.from('<!DOCTYPE html><html></html>'), 'unsupported', /HTML page/],
  ['a Git LFS pointer', Buffer.from('version https://git-lfs.github.com/spec/v1\n'), 'unsupported', /LFS pointer/],
  ['an interrupted download', whole.subarray(0, 9000), 'truncated', /cut off/],
  ['a compressed entry', withEntryField(10, 8), 'unsupported', /compression method 8/],
  ['an encrypted entry', withEntryField(8, 1), 'unsupported', /encrypted/],
  ['a big-endian file', swapped('little', 'big\0\0\0'), 'unsupported', /byte order "little"/],
  [
    'a checkpoint that wraps the state dict',
    readFileSync(fixture('nested.bin')),
    'unsupported',
    /state_dict\(\) alone/,
  ],
  ['an object of a class', readFileSync(fixture('object.bin')), 'unsupported', /pathlib.*PurePosixPath/],
  ['a call of a function', swapped('collections\nOrderedDict', 'os\nsystem'.padEnd(23)), 'unsupported', /"os\.system/],
  ['a storage class that torch does not have', swapped('FloatStorage', 'FloatStorXge'), 'unsupported', /FloatStorXge/],
  [
    'a storage of another size than its entry',
    swapped('FloatStorage', 'ShortStorage'),
    'wrong_shape',
    /ShortStorage, got/,
  ],
  ['a tensor that starts too late in its storage', swapped('QK\0', 'QK\x01'), 'wrong_shape', /from element 1 on/],
  ['an entry pushed past the data by its header', withLongHeader(), 'malformed', /reaches past the archive's data/],
  ['an archive without data.pkl', swapped('data.pkl', 'dXta.pkl'), 'unsupported', /data\.pkl/],
];

for (const [what, bytes, code, words] of REFUSED) {
  test(`${what} is refused with ${code}`, async (t) => {
    await assertRefused(readBytes(temporaryFolder(t), bytes, readPytorchHeader), code, words);
  });
}

test('reads damaged archives or refuses them with a CheckpointError', async (t) => {
  const folder = temporaryFolder(t);
  const pickle = whole.indexOf('data.pkl');
  const directory = whole.indexOf(central);
  await assertSurvivesDamage({
    bytes: whole,
    ranges: [
      [pickle, pickle + 3500],
      [pickle, pickle + 3500],
      [directory, whole.length],
      [whole.length - 98, whole.length],
      [0, 64],
    ],
    rounds: 2000,
    read: (damaged) => readBytes(folder, damaged, readPytorchHeader),
  });
});

test('reads damaged files of the old format or refuses them with a CheckpointError', async (t) => {
  const folder = temporaryFolder(t);
  await assertSurvivesDamage({
    bytes: legacy,
    ranges: [[0, legacy.length]],
    rounds: 1500,
    read: (damaged) => readBytes(folder, damaged, readPytorchHeader),
  });
});
