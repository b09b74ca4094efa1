import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { createWalRoom } from './wal-room.ts';

const MB = 2 ** 20;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gptj-wal-'));
  mkdirSync(join(folder, 'pg_wal'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const segment = (name: string): string => join(folder, 'pg_wal', name);

test('the next segment is made before the log needs it, and one for each 16 MB of a large packet', () => {
  const room = createWalRoom(folder, () => 1000 * MB);
  room.record(segment('000000010000000000000001'), 0, 4 * MB);
  assert.equal(room.has(100), true);
  assert.deepEqual(readdirSync(join(folder, 'pg_wal')), []);
  room.record(segment('000000010000000000000001'), 15 * MB, 100);
  assert.equal(room.has(100), true);
  assert.deepEqual(readdirSync(join(folder, 'pg_wal')), ['000000010000000000000002']);
  assert.equal(statSync(segment('000000010000000000000002')).size, 16 * MB);
  assert.equal(room.has(20 * MB), true);
  assert.equal(readdirSync(join(folder, 'pg_wal')).length, 3);
});

test('there is no room when a segment cannot be made, and again when it can', () => {
  const room = createWalRoom(folder, () => 1000 * MB);
  room.record(segment('000000010000000000000001'), 15 * MB, 100);
  rmSync(join(folder, 'pg_wal'), { recursive: true });
  assert.equal(room.has(100), false);
  mkdirSync(join(folder, 'pg_wal'));
  assert.equal(room.has(100), true);
});

test('a disk without free space has no room until there is some more than was missing', () => {
  let free = MB;
  const room = createWalRoom(folder, () => free);
  assert.equal(room.has(100), false);
  free = 3 * MB;
  assert.equal(room.has(100), false);
  free = 5 * MB;
  assert.equal(room.has(100), true);
  free = 3 * MB;
  assert.equal(room.has(100), true);
});

test('segments count in hexadecimal, 256 to a log', () => {
  const room = createWalRoom(folder, () => 1000 * MB);
  room.record(segment('0000000100000000000000FF'), 15 * MB, 100);
  assert.equal(room.has(100), true);
  room.record(segment('00000001000000010000000F'), 15 * MB, 100);
  assert.equal(room.has(100), true);
  assert.deepEqual(readdirSync(join(folder, 'pg_wal')).sort(), [
    '000000010000000100000000',
    '000000010000000100000010',
  ]);
});
