import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { Prefix } from './prefix-file.ts';
import { openPrefixStore, type PrefixStore } from './prefix-store.ts';

const MODEL = 'a'.repeat(64);
const ONE: Prefix = { tokens: [1, 2, 3], lora: [] };
const TWO: Prefix = { tokens: [1, 2, 4], lora: [] };
const bytesOf = (size: number, seed: number): Uint8Array =>
  Uint8Array.from({ length: size }, (_, i) => (i * seed) % 251);

let root: string;
let folder: string;
let store: PrefixStore;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'gptj-prefixes-'));
});
after(() => rm(root, { recursive: true }));
beforeEach(async () => {
  folder = join(root, 'kept');
  store = await open(MODEL);
});
afterEach(() => rm(folder, { recursive: true }));

const open = (model: string, maxBytes = 100_000): Promise<PrefixStore> => openPrefixStore({ folder, maxBytes, model });
const names = (): Promise<string[]> => readdir(folder);
/** Set the time of a prefix's last use. */
async function usedAt(name: string, seconds: number): Promise<void> {
  await utimes(join(folder, name), seconds, seconds);
}
/** The name of the file that a write creates. */
async function written(prefix: Prefix, bytes: Uint8Array, by = store): Promise<string> {
  const earlier = new Set(await names());
  assert.equal(await by.write(prefix, bytes), true);
  return (await names()).find((name) => !earlier.has(name)) ?? assert.fail('no file was created');
}

test('reads a prefix that another process wrote, from files that only its user may read', async () => {
  const name = await written(ONE, bytesOf(1000, 7));
  const next = await open(MODEL);
  assert.deepEqual(await next.list(), [ONE]);
  assert.deepEqual(new Uint8Array((await next.read(ONE)) ?? []), bytesOf(1000, 7));
  assert.equal(await next.read(TWO), null);
  if (process.platform === 'win32') return;
  assert.equal((await stat(folder)).mode & 0o777, 0o700);
  assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600);
});

test('keeps prefixes of the same tokens apart by the adapters with which they were computed', async () => {
  const uses: readonly Prefix['lora'][] = [
    [],
    [{ name: 'a#1', scale: 1 }],
    [{ name: 'a#1', scale: 0.5 }],
    [{ name: 'a#2', scale: 1 }],
  ];
  const prefixes = uses.map((lora) => ({ ...ONE, lora }));
  for (const [at, prefix] of prefixes.entries()) await written(prefix, bytesOf(10, at));
  const next = await open(MODEL);
  assert.equal((await next.list()).length, 4);
  for (const prefix of await next.list()) {
    const at = prefixes.findIndex(({ lora }) => JSON.stringify(lora) === JSON.stringify(prefix.lora));
    assert.deepEqual([...((await next.read(prefix)) ?? [])], [...bytesOf(10, at)]);
  }
});

test('does not read a file damaged in any byte or cut anywhere, and removes it', async () => {
  const name = await written(ONE, bytesOf(60, 7));
  const path = join(folder, name);
  const whole = await readFile(path);
  for (let at = 0; at < whole.byteLength; at++) {
    const damaged = Buffer.from(whole);
    damaged[at]! ^= 1 << (at % 8);
    await writeFile(path, damaged);
    assert.equal(await store.read(ONE), null, `byte ${at}`);
    assert.deepEqual(await names(), []);
    await writeFile(path, whole.subarray(0, at));
    assert.equal(await store.read(ONE), null, `${at} bytes`);
    assert.deepEqual(await names(), []);
  }
  await writeFile(path, Buffer.concat([whole, Buffer.from('x')]));
  assert.equal(await store.read(ONE), null);
});

test('does not list files with a damaged header, and removes them', async () => {
  const path = join(folder, await written(ONE, bytesOf(10, 7)));
  const whole = await readFile(path);
  const endless = Buffer.from(whole);
  endless.writeUInt32LE(0xffff_ffff, 8);
  const list = '{"model":1,"tokens":[],"bytes":0}';
  const typed = Buffer.concat([whole.subarray(0, 8), Buffer.from([list.length, 0, 0, 0]), Buffer.from(list)]);
  for (const damaged of [Buffer.alloc(0), whole.subarray(0, 9), endless, typed]) {
    await writeFile(path, damaged);
    assert.deepEqual(await store.list(), []);
    assert.deepEqual(await names(), []);
  }
});

test('neither lists nor reads nor removes prefixes of another model', async () => {
  await written(ONE, bytesOf(10, 7));
  const other = await open('b'.repeat(64));
  assert.deepEqual([await other.list(), await other.read(ONE)], [[], null]);
  await written(ONE, bytesOf(10, 9), other);
  assert.deepEqual([...((await store.read(ONE)) ?? [])], [...bytesOf(10, 7)]);
});

test('lists the most recently used first, and removes the least recently used of all models to make room', async () => {
  const other = await open('b'.repeat(64));
  await usedAt(await written(ONE, bytesOf(1000, 7)), 2000);
  await usedAt(await written(TWO, bytesOf(1000, 7)), 3000);
  await usedAt(await written(ONE, bytesOf(1000, 7), other), 1000);
  assert.deepEqual(await store.list(), [TWO, ONE]);
  assert.equal(await store.touch(ONE), true);
  assert.deepEqual(await store.list(), [ONE, TWO]);
  const small = await open(MODEL, 3000);
  assert.equal(await small.write({ tokens: [9], lora: [] }, bytesOf(1000, 7)), true);
  assert.deepEqual((await small.list()).length, 2);
  assert.deepEqual([await other.list(), await small.read(TWO)], [[], null]);
  assert.equal(await small.touch(TWO), false);
});

test('does not store a prefix larger than the limit, and removes none for it', async () => {
  await written(ONE, bytesOf(1000, 7));
  const small = await open(MODEL, 2000);
  assert.equal(await small.write(TWO, bytesOf(2001, 7)), false);
  assert.deepEqual(await small.list(), [ONE]);
});

test('removes old temporary files on opening', async () => {
  await writeFile(join(folder, 'fresh.new'), 'x');
  await writeFile(join(folder, 'old.new'), 'x');
  await usedAt('old.new', 1000);
  await open(MODEL);
  assert.deepEqual(await names(), ['fresh.new']);
});

test('removes a prefix, also twice', async () => {
  await written(ONE, bytesOf(10, 7));
  await store.remove(ONE);
  await store.remove(ONE);
  assert.deepEqual(await names(), []);
});
