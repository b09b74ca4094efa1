import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeFolder } from './make-folder.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gptj-folder-'));
});
after(() => rm(folder, { recursive: true }));

const codeOf = (expected: string) => (error: unknown) =>
  error instanceof Error && Reflect.get(error, 'code') === expected;

test('creates a folder with those above it, for its owner alone, and accepts one that exists', async () => {
  const path = join(folder, 'a', 'b', 'c');
  await Promise.all([makeFolder(path, 0o700), makeFolder(path, 0o700)]);
  assert.equal((await stat(path)).mode & 0o777, process.platform === 'win32' ? 0o666 : 0o700);
  await makeFolder(path, 0o700);
});

test('refuses a name below a file', async () => {
  await writeFile(join(folder, 'file'), '');
  await assert.rejects(makeFolder(join(folder, 'file'), 0o700), codeOf('EEXIST'));
  await assert.rejects(makeFolder(join(folder, 'file', 'below'), 0o700), codeOf('ENOTDIR'));
});

test('refuses a folder on a file system that creates none, instead of trying for ever', {
  skip: process.platform !== 'linux',
}, async () => {
  await assert.rejects(makeFolder('/proc/gptj/data', 0o700), codeOf('ENOENT'));
});
