import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { lockDataDir } from './data-dir-lock.ts';
import { StoreError } from './store-error.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gptj-lock-'));
});
afterEach(() => rm(folder, { recursive: true }));

const inUse = (error: unknown): boolean =>
  error instanceof StoreError && error.code === 'data_dir_in_use' && error.message.includes(String(process.pid));

test('a folder in use is refused with the id of the process that uses it, and is free after release', async () => {
  const lock = await lockDataDir(join(folder, 'made', 'here'));
  await assert.rejects(lockDataDir(join(folder, 'made', 'here')), inUse);
  await lock.release();
  await lock.release();
  await (await lockDataDir(join(folder, 'made', 'here'))).release();
});

test('at most one of many concurrent starts gets the folder', async () => {
  const tries = await Promise.allSettled(Array.from({ length: 8 }, () => lockDataDir(folder)));
  const locks = tries.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  assert.ok(locks.length <= 1, `${locks.length} holders`);
  await Promise.all(locks.map((lock) => lock.release()));
  assert.deepEqual(await readdir(folder), []);
});

test('the lock of a dead process is replaced, even one that a crash left half written', async () => {
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  await writeFile(join(folder, 'server-0000000000000000.lock'), `{"pid":${dead},"startTime":""}`);
  await writeFile(join(folder, 'server-0000000000000001.lock'), '{"pid":');
  const lock = await lockDataDir(folder);
  assert.equal((await readdir(folder)).length, 1);
  await lock.release();
});

test('a process that reuses the id of a dead one does not count as the holder', {
  skip: process.platform !== 'linux',
}, async () => {
  await writeFile(join(folder, 'server-0000000000000000.lock'), `{"pid":${process.pid},"startTime":"another boot/1"}`);
  await (await lockDataDir(folder)).release();
});

test('a folder that cannot be created or written is refused by name', async () => {
  await writeFile(join(folder, 'file'), '');
  await assert.rejects(
    lockDataDir(join(folder, 'file')),
    (error) => error instanceof StoreError && error.code === 'data_dir_unusable' && error.message.includes(folder),
  );
});
