import assert from 'node:assert/strict';
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { CheckpointError, type CheckpointErrorCode } from '../checkpoint-error.ts';
import { inspectModel } from '../inspect.ts';
import { openCheckpoint } from '../open-checkpoint.ts';
import { assertRefused, assertSurvivesDamage, temporaryFolder } from '../reader.contract.ts';
import { assertNumbers, published } from '../testing/published-forms.ts';
import type { GgmlEra } from './era.ts';

const FOLDER = published('ggml');
const HASHES: Record<string, Record<string, string>> = JSON.parse(readFileSync(join(FOLDER, 'weights.json'), 'utf8'));
const pathOf = (name: string): string => join(FOLDER, `${name}.bin`);

for (const [name, hashes] of Object.entries(HASHES)) {
  test(`${name} gives the numbers of its blocks`, async () => {
    const checkpoint = await openCheckpoint(pathOf(name));
    assert.match(checkpoint.form ?? '', new RegExp(`^era ${name.slice(0, 2)}, .*${name.split('-')[1]}`));
    await assertNumbers(checkpoint, hashes);
  });
}

test('blocks that GGUF still has are read as they are, others as float32', async (t) => {
  for (const [name, type] of [
    ['v2-q4_0', 'q4_0'],
    ['v2-q8_0', 'q8_0'],
    ['v1-q5_1', 'q5_1'],
    ['v1-q4_0', 'f32'],
    ['v0-q5_0', 'f32'],
    ['v2-q4_1', 'f32'],
  ] as const) {
    const checkpoint = await openCheckpoint(pathOf(name));
    t.after(() => checkpoint.close());
    assert.equal(checkpoint.tensors.find((tensor) => tensor.name === 'lm_head.weight')?.type, type, name);
  }
  const { tensors, form } = await inspectModel(pathOf('v0-q4_0'));
  assert.equal(form, 'era v0, q4_0 and f32');
  assert.deepEqual(
    tensors.filter(({ shape }) => shape.length === 2).map(({ type }) => type),
    tensors.filter(({ shape }) => shape.length === 2).map(() => 'q4_0'),
  );
});

test('another era than the stated one is read on request, with the nibbles at other places', async () => {
  await assertNumbers(await openCheckpoint(pathOf('v0-q4_0'), { ggmlEra: 0 }), HASHES['v0-q4_0'] ?? {});
  const other = await openCheckpoint(pathOf('v0-q4_0'), { ggmlEra: 1 });
  await assert.rejects(assertNumbers(other, HASHES['v0-q4_0'] ?? {}), /wte/);
  await assertRefused(openCheckpoint(pathOf('v0-q4_0'), { ggmlEra: 2 }), 'malformed', /era 2 .*--ggml-era/);
});

/** A file with its file type changed. */
function withFileType(t: TestContext, name: string, fileType: number): string {
  const bytes = readFileSync(pathOf(name));
  bytes.writeInt32LE(fileType, 28);
  const folder = temporaryFolder(t);
  for (const file of ['tokenizer.json', 'tokenizer_config.json']) copyFileSync(join(FOLDER, file), join(folder, file));
  const path = join(folder, 'model.bin');
  writeFileSync(path, bytes);
  return path;
}

test('a file of v2 that states no version is read by the lengths of its tensors, with a warning', async (t) => {
  const path = withFileType(t, 'v2-q4_0', 2);
  const checkpoint = await openCheckpoint(path);
  assert.match(checkpoint.warnings.join(), /read as ggml's era v2.*v0, which it states/);
  await assertNumbers(checkpoint, HASHES['v2-q4_0'] ?? {});
  await assertRefused(openCheckpoint(withFileType(t, 'v2-q4_0', 3002)), 'unsupported', /got 3/);
});

test('the vocabulary of the file must be that of the tokenizer', async (t) => {
  const lossy = await openCheckpoint(pathOf('base-f32-transposed'));
  t.after(() => lossy.close());
  assert.equal((await lossy.readTokenizer()).data.tokens.length, 300);
  const path = withFileType(t, 'v0-q4_0', 2);
  const bytes = readFileSync(path);
  // The first token is one character after its length.
  bytes[40] = (bytes[40] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  const changed = await openCheckpoint(path);
  t.after(() => changed.close());
  await assertRefused(changed.readTokenizer(), 'invalid_tokenizer', /token 0: expected "!".*--tokenizer/);
});

test('without a tokenizer beside it the default is used, and without that the error names the remedy', async (t) => {
  const path = join(temporaryFolder(t), 'model.bin');
  copyFileSync(pathOf('v0-q4_0'), path);
  const alone = await openCheckpoint(path);
  t.after(() => alone.close());
  await assertRefused(alone.readTokenizer(), 'not_found', /--tokenizer/);
  for (const options of [{ tokenizer: FOLDER }, { defaultTokenizer: FOLDER }]) {
    const checkpoint = await openCheckpoint(path, options);
    t.after(() => checkpoint.close());
    assert.equal((await checkpoint.readTokenizer()).data.tokens.length, 300);
  }
});

const whole = readFileSync(pathOf('v0-q4_1'));

/** The file with one 32-bit number changed. */
function withNumber(offset: number, value: number): Buffer {
  const bytes = Buffer.from(whole);
  bytes.writeInt32LE(value, offset);
  return bytes;
}

const firstTensor = whole.indexOf('transformer.wte.weight') - 20;

const REFUSED: readonly (readonly [what: string, bytes: Uint8Array, code: CheckpointErrorCode, words: RegExp])[] = [
  ['a vocabulary of two billion tokens', withNumber(32, 0x7fffffff), 'malformed', /number of tokens/],
  ['a negative number of tokens', withNumber(32, -5), 'malformed', /number of tokens/],
  ['a token of a gigabyte', withNumber(36, 0x40000000), 'malformed', /length of token 0/],
  ['no layers', withNumber(20, 0), 'malformed', /n_layer/],
  ['three dimensions', withNumber(firstTensor, 3), 'malformed', /n_dims/],
  ['a negative side', withNumber(firstTensor + 12, -32), 'malformed', /ne\[0\]/],
  ['a tensor past the end', withNumber(firstTensor + 16, 1 << 23), 'truncated', /wte/],
  ['an unknown type', withNumber(firstTensor + 8, 77), 'unsupported', /ggml type 77/],
  ['rows of broken blocks', withNumber(firstTensor + 12, 33), 'malformed', /whole blocks of 32/],
  ['the type of another tensor', withNumber(firstTensor + 8, 1), 'malformed', /another length than their type/],
  ['a file without tensors', whole.subarray(0, firstTensor), 'missing_tensor', /wte/],
  ['an empty vocabulary and nothing else', whole.subarray(0, 36), 'truncated', /expected/],
];

for (const [what, bytes, code, words] of REFUSED) {
  test(`refuses ${what}`, async (t) => {
    const path = join(temporaryFolder(t), 'model.bin');
    writeFileSync(path, bytes);
    await assertRefused(openCheckpoint(path, { tokenizer: FOLDER }), code, words);
  });
}

test('a file that is cut off anywhere is refused', async (t) => {
  const path = join(temporaryFolder(t), 'model.bin');
  const cuts = [...Array(120).keys(), ...Array.from({ length: 150 }, (_, i) => Math.floor((whole.length * i) / 150))];
  for (const cut of cuts) {
    writeFileSync(path, whole.subarray(0, cut));
    await assert.rejects(
      openCheckpoint(path, { tokenizer: FOLDER }),
      (error: unknown) => error instanceof CheckpointError,
    );
  }
});

/** Opens a file and reads everything in it. */
async function readWhole(path: string, ggmlEra?: GgmlEra): Promise<void> {
  const checkpoint = await openCheckpoint(path, { tokenizer: FOLDER, ...(ggmlEra === undefined ? {} : { ggmlEra }) });
  try {
    for (const { name, sizeBytes } of checkpoint.tensors) await checkpoint.readRows(name, 0, new Uint8Array(sizeBytes));
    await checkpoint.readTokenizer();
  } finally {
    await checkpoint.close();
  }
}

test('damaged files are read or refused with a CheckpointError', async (t) => {
  const path = join(temporaryFolder(t), 'model.bin');
  await assertSurvivesDamage({
    bytes: whole,
    ranges: [
      [0, 64],
      [firstTensor, firstTensor + 64],
      [firstTensor, whole.length],
    ],
    rounds: 600,
    async read(damaged) {
      writeFileSync(path, damaged);
      await readWhole(path);
    },
  });
});

test('every fixture is in the table of numbers or in the test of logits', () => {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.bin') && !name.startsWith('base-'));
  assert.deepEqual(
    files.sort(),
    Object.keys(HASHES)
      .map((name) => `${name}.bin`)
      .sort(),
  );
});
