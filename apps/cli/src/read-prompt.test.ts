import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { parseOptions, UsageError } from './options.ts';
import { readPrompt } from './read-prompt.ts';

function prompt(args: readonly string[], input: readonly Buffer[], isTTY = false): Promise<string> {
  return readPrompt(Object.assign(Readable.from(input), { isTTY }), parseOptions([], args));
}

test('takes the argument, or standard input without an argument or for a hyphen', async () => {
  assert.equal(await prompt(['Once'], [Buffer.from('no')]), 'Once');
  assert.equal(await prompt([], [Buffer.from('two\nli'), Buffer.from('nes\n')]), 'two\nlines');
  assert.equal(await prompt(['-'], [Buffer.from('x\r\n')]), 'x');
});

test('joins characters that the pipe has split, and refuses input that is not UTF-8', async () => {
  const bytes = Buffer.from('é');
  assert.equal(await prompt([], [bytes.subarray(0, 1), bytes.subarray(1)]), 'é');
  await assert.rejects(prompt([], [Buffer.of(0xff)]), /expected UTF-8/);
});

test('refuses no prompt, an empty one, two prompts and one above the size limit', async () => {
  await assert.rejects(prompt([], [], true), UsageError);
  await assert.rejects(prompt([], [Buffer.from('\n')]), /not empty/);
  await assert.rejects(prompt([''], []), /not empty/);
  await assert.rejects(prompt(['Once', 'upon'], []), /unexpected argument "upon"/);
  await assert.rejects(prompt([], new Array<Buffer>(70).fill(Buffer.alloc(65536, 0x61))), /at most 4194304 bytes/);
});
