import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BoundedFile, readSmallJson, readSmallText } from './bounded-file.ts';
import { assertRefused, temporaryFolder } from './reader.contract.ts';

test('refuses reads past the end of the file, also when the file shrinks after opening', async (t) => {
  const path = join(temporaryFolder(t), 'x');
  writeFileSync(path, 'abcdef');
  const file = await BoundedFile.open(path);
  t.after(() => file.close());
  const bytes = new Uint8Array(3);
  await file.read(3, bytes);
  assert.equal(Buffer.from(bytes).toString(), 'def');
  await assertRefused(file.read(4, bytes), 'truncated', /3 bytes at 4, got a file of 6 bytes/);
  await assertRefused(file.read(-1, bytes), 'truncated', /at -1/);
  truncateSync(path, 4);
  await assertRefused(file.read(3, bytes), 'truncated', /ended at 4 while it was read/);
});

test('refuses folders and missing files with not_found', async (t) => {
  const folder = temporaryFolder(t);
  await assertRefused(BoundedFile.open(folder), 'not_found', /regular file/);
  await assertRefused(BoundedFile.open(join(folder, 'x')), 'not_found', /found none/);
});

test('refuses a pipe without waiting for a writer', {
  skip: process.platform === 'win32',
  timeout: 5000,
}, async (t) => {
  const path = join(temporaryFolder(t), 'pipe');
  execFileSync('mkfifo', [path]);
  await assertRefused(BoundedFile.open(path), 'not_found', /regular file/);
});

test('small text files are read up to their limit, and readSmallJson refuses what is not JSON', async (t) => {
  const path = join(temporaryFolder(t), 'x.json');
  writeFileSync(path, '{"é":1}');
  assert.deepEqual(await readSmallJson(path, 8), { é: 1 });
  await assertRefused(readSmallText(path, 7), 'too_large', /at most 7 bytes, got 8/);
  writeFileSync(path, '{');
  await assertRefused(readSmallJson(path, 8), 'malformed', /JSON/);
});
