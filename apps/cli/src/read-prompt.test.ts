import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { parseOptions, UsageError } from './options.ts';
import { PROMPT_OPTIONS, readPrompt } from './read-prompt.ts';

function prompt(args: readonly string[], input: readonly Buffer[], isTTY = false): Promise<string> {
  return readPrompt(Object.assign(Readable.from(input), { isTTY }), parseOptions(PROMPT_OPTIONS, args));
}

test('takes the argument, or standard input without an argument or for a hyphen', async () => {
  assert.equal(await prompt(['Once'], [Buffer.from('no')]), 'Once');
  assert.equal(await prompt([], [Buffer.from('two\nli'), Buffer.from('nes\n')]), 'two\nlines');
  assert.equal(await prompt(['-'], [Buffer.from('x\r\n')]), 'x');
});

test('takes --prompt, and the text of a file without its last line break', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'gptj-prompt-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'prompt.txt');
  await writeFile(file, 'Once\nupon\n');
  assert.equal(await prompt(['-p', 'Once'], []), 'Once');
  assert.equal(await prompt(['--file', file], []), 'Once\nupon');
  await assert.rejects(prompt(['--file', join(folder, 'none')], []), /--file: expected a readable file/);
  await writeFile(file, Buffer.alloc(5e6, 0x61));
  await assert.rejects(prompt(['--file', file], []), /at most 4194304 bytes/);
  await assert.rejects(prompt(['Once', '--file', file], []), /expected one prompt/);
});

test('joins characters that the pipe has split, and refuses input that is not UTF-8', async () => {
  const bytes = Buffer.from('é');
  assert.equal(await prompt([], [bytes.subarray(0, 1), bytes.subarray(1)]), 'é');
  await assert.rejects(prompt([], [Buffer.of(0xff)]), /expected UTF-8/);
});

test('refuses no prompt, an empty one, two sources and one above the size limit', async () => {
  await assert.rejects(prompt([], [], true), UsageError);
  await assert.rejects(prompt([], [Buffer.from('\n')]), /not empty/);
  await assert.rejects(prompt([''], []), /not empty/);
  await assert.rejects(prompt([], new Array<Buffer>(70).fill(Buffer.alloc(65536, 0x61))), /at most 4194304 bytes/);
});
