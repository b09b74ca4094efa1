import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { CheckpointError, type CheckpointErrorCode } from '../checkpoint-error.ts';
import { convertCheckpoint } from '../convert.ts';
import { fingerprintFolder } from '../folder-fingerprint.ts';
import { inspectModel } from '../inspect.ts';
import { type OpenOptions, openCheckpoint } from '../open-checkpoint.ts';
import { assertRefused, assertSurvivesDamage, temporaryFolder } from '../reader.contract.ts';
import { MESH_FOLDER, tarBytes, unpack, writeBeside } from '../testing/mesh-archives.ts';
import { assertNumbers } from '../testing/published-forms.ts';

const MANY = 'many/slim-bf16.tar.zst';
const HASHES: Record<string, string> = JSON.parse(readFileSync(join(MESH_FOLDER, 'many', 'weights.json'), 'utf8'));
const MANY_TAR = tarBytes(MANY);

test('a compressed archive gives the numbers of its shards, of twelve layers in the order of text', async (t) => {
  const folder = temporaryFolder(t);
  const checkpoint = await openCheckpoint(join(MESH_FOLDER, MANY), { spoolFolder: folder });
  assert.equal(checkpoint.form, 'slim, 4 shards of bf16, tar.zst');
  assert.equal(checkpoint.modelName, 'slim-bf16');
  await assertNumbers(checkpoint, HASHES);
  assert.deepEqual(readdirSync(folder), []);
});

test('a tar archive and a folder give the same', async (t) => {
  const folder = temporaryFolder(t);
  const tar = await openCheckpoint(writeBeside(folder, 'slim.tar', MANY, MANY_TAR));
  assert.equal(tar.form, 'slim, 4 shards of bf16, tar');
  await assertNumbers(tar, HASHES);
  unpack(folder, MANY_TAR);
  for (const path of [folder, join(folder, 'step_383500')]) {
    const unpacked = await openCheckpoint(path);
    assert.equal(unpacked.form, 'slim, 4 shards of bf16');
    await assertNumbers(unpacked, HASHES);
  }
  const { form, tensors, warnings } = await inspectModel(folder);
  assert.equal(form, 'slim, 4 shards of bf16');
  assert.deepEqual(warnings, []);
  assert.equal(tensors[0]?.type, 'bf16');
});

test('the fingerprint of a folder covers its shards', async (t) => {
  const { folder, step } = unpacked(t);
  const before = await fingerprintFolder(folder);
  const path = join(step, 'shard_3', '4.npz');
  const bytes = readFileSync(path);
  bytes[bytes.length - 200] = (bytes[bytes.length - 200] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  assert.notEqual(await fingerprintFolder(folder), before);
});

test('of several steps one must be named', async (t) => {
  const folder = temporaryFolder(t);
  unpack(folder, MANY_TAR);
  mkdirSync(join(folder, 'step_9'));
  await assertRefused(openCheckpoint(folder), 'unsupported', /one step, got step_383500, step_9/);
});

test('a compressed archive is inspected only where it may be decompressed', async () => {
  await assertRefused(
    inspectModel(join(MESH_FOLDER, MANY)),
    'unsupported',
    /convert it, or decompress it with zstd -d/,
  );
});

test('a conversion of a compressed archive leaves its result alone', async (t) => {
  const folder = temporaryFolder(t);
  await convertCheckpoint({ source: join(MESH_FOLDER, MANY), target: join(folder, 'out.gguf'), type: 'f16' });
  assert.deepEqual(readdirSync(folder), ['out.gguf']);
});

test('a conversion that is cancelled while it decompresses leaves nothing', async (t) => {
  const folder = temporaryFolder(t);
  const signal = AbortSignal.abort();
  const target = join(folder, 'out.gguf');
  await assertRefused(
    convertCheckpoint({ source: join(MESH_FOLDER, MANY), target, type: 'f16', signal }),
    'aborted',
    /cancelled/,
  );
  assert.deepEqual(readdirSync(folder), []);
});

/** An unpacked checkpoint that a test may change. */
function unpacked(t: TestContext): { readonly folder: string; readonly step: string } {
  const folder = temporaryFolder(t);
  writeBeside(folder, 'unused', MANY, new Uint8Array(0));
  unpack(folder, MANY_TAR);
  return { folder, step: join(folder, 'step_383500') };
}

test('norms that differ between shards are refused', async (t) => {
  const { folder, step } = unpacked(t);
  // The last file holds the final norm and the step.
  const path = join(step, 'shard_2', '15.npz');
  const bytes = readFileSync(path);
  const at = bytes.indexOf("'shape': (16,)");
  const data = bytes.indexOf('\n', at) + 1;
  bytes[data] = (bytes[data] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  await assertRefused(openCheckpoint(folder), 'malformed', /same norm in every shard.*shard 2/);
});

test('folders of shards beside the weights of a Hugging Face folder change nothing', async (t) => {
  const { folder } = unpacked(t);
  writeFileSync(join(folder, 'pytorch_model.bin'), '');
  await assertRefused(openCheckpoint(folder), 'unsupported', /pytorch_model\.bin/);
  await fingerprintFolder(folder);
});

test('missing shards and files are named', async (t) => {
  const { folder, step } = unpacked(t);
  renameSync(join(step, 'shard_1', '7.npz'), join(step, 'shard_1', '17.npz'));
  await assertRefused(openCheckpoint(folder), 'not_found', /shard_1\/7\.npz/);
  rmSync(join(step, 'shard_1'), { recursive: true });
  await assertRefused(openCheckpoint(folder), 'not_found', /shard_1\/0\.npz/);
});

test('a width other than that of GPT-J-6B needs a config.json', async (t) => {
  const { folder, step } = unpacked(t);
  const config = join(folder, 'config.json');
  const fields = JSON.parse(readFileSync(config, 'utf8'));
  writeFileSync(config, JSON.stringify({ ...fields, norm: 'rmsnorm' }));
  await assertRefused(openCheckpoint(step), 'unsupported', /rmsnorm/);
  writeFileSync(config, JSON.stringify({ ...fields, n_heads: 3 }));
  await assertRefused(openCheckpoint(step), 'invalid_config', /n_head/);
  rmSync(config);
  await assertRefused(openCheckpoint(step), 'not_found', /config\.json for a model 16 wide/);
});

test('CausalTransformerV2 is refused by name, as a folder and as an archive', async (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'params'));
  writeFileSync(join(folder, 'params', 'shard_0.npz'), 'x');
  await assertRefused(openCheckpoint(folder), 'unsupported', /CausalTransformerV2/);
  const tar = withName(MANY_TAR, 'step_383500/shard_0/0.npz', 'step_383500/params/shard_0.npz');
  await assertRefused(openCheckpoint(writeBeside(folder, 'v2.tar', MANY, tar)), 'unsupported', /CausalTransformerV2/);
});

/** Changes a header and its checksum. */
function withHeader(tar: Buffer, name: string, change: (header: Buffer) => void): Buffer {
  const bytes = Buffer.from(tar);
  const header = bytes.subarray(bytes.indexOf(`${name}\0`), bytes.indexOf(`${name}\0`) + 512);
  change(header);
  header.write('        ', 148);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return bytes;
}

function withName(tar: Buffer, name: string, other: string): Buffer {
  return withHeader(tar, name, (header) => void header.fill(0, 0, 100).write(other));
}

const FIRST = 'step_383500/shard_0/0.npz';
const withSize = (text: string): Buffer => withHeader(MANY_TAR, FIRST, (header) => void header.write(text, 124));

const REFUSED: readonly (readonly [what: string, tar: Uint8Array, code: CheckpointErrorCode, words: RegExp])[] = [
  ['a size past the end', withSize('77777777777\0'), 'truncated', /expected 8589934591 bytes/],
  [
    'a size past the limit',
    withHeader(MANY_TAR, FIRST, (header) => void header.write('\x80\0\0\0\0\0\0\x03\0\0\0\0', 124, 'latin1')),
    'too_large',
    /member/,
  ],
  ['a size of the rest and more', withSize('00010000000\0'), 'truncated', /expected/],
  ['a size that is no number', withSize('abcdefghijk\0'), 'malformed', /octal/],
  [
    'a size of 2^80',
    withHeader(MANY_TAR, FIRST, (header) => void header.fill(0xff, 124, 136)),
    'malformed',
    /size below/,
  ],
  [
    'a wrong checksum',
    Buffer.concat([MANY_TAR.subarray(0, 20), Buffer.of(99), MANY_TAR.subarray(21)]),
    'malformed',
    /tar header/,
  ],
  ['two files of one name', withName(MANY_TAR, 'step_383500/shard_0/1.npz', FIRST), 'malformed', /got it twice/],
  ['a sparse file', withHeader(MANY_TAR, FIRST, (header) => void header.write('S', 156)), 'unsupported', /sparse/],
  [
    'a symbolic link in place of a file',
    withHeader(MANY_TAR, FIRST, (header) => void header.write('2', 156)),
    'malformed',
    /tar header/,
  ],
  ['shard 4000', withName(MANY_TAR, FIRST, 'step_383500/shard_4000/0.npz'), 'malformed', /at most 64 shards/],
  ['an archive without shards', Buffer.concat([MANY_TAR.subarray(0, 512), Buffer.alloc(1024)]), 'not_found', /shard_0/],
];

for (const [what, tar, code, words] of REFUSED) {
  test(`a tar archive with ${what} is refused`, async (t) => {
    const folder = temporaryFolder(t);
    await assertRefused(openCheckpoint(writeBeside(folder, 'model.tar', MANY, tar)), code, words);
  });
}

test('a name that points out of the folder is only compared', async (t) => {
  const folder = join(temporaryFolder(t), 'inner');
  mkdirSync(folder);
  const tar = withName(MANY_TAR, FIRST, '../../shard_0/0.npz');
  await assertNumbers(await openCheckpoint(writeBeside(folder, 'model.tar', MANY, tar)), HASHES);
  assert.deepEqual(readdirSync(join(folder, '..')), ['inner']);
});

async function readWhole(path: string, options: OpenOptions): Promise<void> {
  const checkpoint = await openCheckpoint(path, options);
  try {
    for (const { name, sizeBytes } of checkpoint.tensors) await checkpoint.readRows(name, 0, new Uint8Array(sizeBytes));
  } finally {
    await checkpoint.close();
  }
}

const SLIM = 'slim-f32.tar.zst';

test('archives that are cut off anywhere are refused, and leave nothing', async (t) => {
  const folder = temporaryFolder(t);
  const spoolFolder = temporaryFolder(t);
  const compressed = readFileSync(join(MESH_FOLDER, SLIM));
  const tar = tarBytes(SLIM);
  // The last two blocks of zeros may be missing.
  for (const [name, bytes, end] of [
    ['model.tar', tar, tar.length - 1024],
    ['model.tar.zst', compressed, compressed.length - 4],
  ] as const) {
    for (let i = 0; i < 30; i++) {
      const path = writeBeside(folder, name, SLIM, bytes.subarray(0, Math.floor((end * i) / 30)));
      await assert.rejects(readWhole(path, { spoolFolder }), (error: unknown) => error instanceof CheckpointError);
    }
  }
  assert.deepEqual(readdirSync(spoolFolder), []);
});

for (const [name, rounds] of [
  ['model.tar', 200],
  ['model.tar.zst', 150],
] as const) {
  test(`${name}, damaged, is read or refused with a CheckpointError`, async (t) => {
    const folder = temporaryFolder(t);
    const spoolFolder = temporaryFolder(t);
    const bytes = name === 'model.tar' ? tarBytes(SLIM) : readFileSync(join(MESH_FOLDER, SLIM));
    const npz = bytes.indexOf('PK\x03\x04', 0, 'latin1');
    const directory = bytes.indexOf('PK\x01\x02', 0, 'latin1');
    await assertSurvivesDamage({
      bytes,
      ranges:
        npz < 0
          ? [
              [0, 40],
              [0, bytes.length],
            ]
          : [
              [512, 1536],
              [npz, npz + 200],
              [directory, directory + 150],
              [0, bytes.length],
            ],
      rounds,
      read: (damaged) => readWhole(writeBeside(folder, name, SLIM, damaged), { spoolFolder }),
    });
    assert.deepEqual(readdirSync(spoolFolder), []);
  });
}

test('a full checkpoint gives its parameters, not the numbers of its optimiser', async (t) => {
  const folder = temporaryFolder(t);
  const read = async (name: string): Promise<readonly Float32Array[]> => {
    const checkpoint = await openCheckpoint(join(MESH_FOLDER, name), { spoolFolder: folder });
    try {
      const found: Float32Array[] = [];
      for (const tensor of checkpoint.tensors) {
        const bytes = new Uint8Array(tensor.sizeBytes);
        await checkpoint.readRows(tensor.name, 0, bytes);
        found.push(new Float32Array(bytes.buffer));
      }
      return found;
    } finally {
      await checkpoint.close();
    }
  };
  assert.deepEqual(await read('full-f32.tar.zst'), await read('slim-f32.tar.zst'));
});
