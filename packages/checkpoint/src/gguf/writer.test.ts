import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { assertRefused, temporaryFolder } from '../reader.contract.ts';
import type { GgufValue } from './metadata.ts';
import { GgufWriter } from './writer.ts';

const OPTIONS = {
  metadata: new Map<string, GgufValue>([['general.name', { type: 'string', value: 'x' }]]),
  tensors: [
    { name: 'a', shape: [3], type: 'f32' },
    { name: 'b', shape: [8], type: 'f32' },
  ],
} as const;

test('renames the file to its final name only when it is complete and padded', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'out.gguf');
  const writer = await GgufWriter.create(path, OPTIONS);
  await writer.write(new Uint8Array(12).fill(1));
  await writer.write(new Uint8Array(20).fill(2));
  assert.deepEqual(
    readdirSync(folder).filter((name) => name === 'out.gguf'),
    [],
  );
  await writer.write(new Uint8Array(12).fill(3));
  await writer.finish();
  assert.deepEqual(readdirSync(folder), ['out.gguf']);
  const bytes = readFileSync(path);
  assert.equal(bytes.length, writer.totalBytes);
  assert.equal(bytes.length, writer.writtenBytes);
  const expected = Buffer.concat([Buffer.alloc(12, 1), Buffer.alloc(20), Buffer.alloc(20, 2), Buffer.alloc(12, 3)]);
  assert.deepEqual(bytes.subarray(-64), expected);
});

test('a file that is written past the cache has the same bytes', async (t) => {
  const folder = temporaryFolder(t);
  const files = [Number.POSITIVE_INFINITY, 1].map((uncachedFromBytes) => ({
    path: join(folder, `${uncachedFromBytes}.gguf`),
    uncachedFromBytes,
  }));
  for (const { path, uncachedFromBytes } of files) {
    const writer = await GgufWriter.create(path, { ...OPTIONS, uncachedFromBytes });
    await writer.write(new Uint8Array(12).fill(1));
    await writer.write(new Uint8Array(32).fill(2));
    await writer.finish();
  }
  const [cached, uncached] = files.map(({ path }) => readFileSync(path));
  assert.deepEqual(uncached, cached);
});

test('an existing file is not replaced without overwrite', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'out.gguf');
  writeFileSync(path, 'precious');
  await assertRefused(GgufWriter.create(path, OPTIONS), 'target_exists', /found one/);
  const writer = await GgufWriter.create(path, { ...OPTIONS, overwrite: true });
  assert.equal(readFileSync(path, 'utf8'), 'precious');
  await writer.write(new Uint8Array(12));
  await writer.write(new Uint8Array(32));
  await writer.finish();
  assert.notEqual(readFileSync(path, 'utf8'), 'precious');
  assert.deepEqual(readdirSync(folder), ['out.gguf']);
});

test('a folder, a device and a symbolic link are never replaced', async (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'folder'));
  writeFileSync(join(folder, 'target'), 'precious');
  symlinkSync(join(folder, 'target'), join(folder, 'link'));
  symlinkSync(join(folder, 'nothing'), join(folder, 'dangling'));
  const cases: readonly (readonly [string, RegExp])[] = [
    [join(folder, 'folder'), /found a folder/],
    [join(folder, 'link'), /found a symbolic link; name the file that it points to/],
    [join(folder, 'dangling'), /found a symbolic link/],
    ...(process.platform === 'win32' ? [] : [['/dev/null', /found a device/] as const]),
  ];
  for (const [path, words] of cases) {
    for (const overwrite of [true, false]) {
      await assertRefused(GgufWriter.create(path, { ...OPTIONS, overwrite }), 'target_not_a_file', words);
    }
  }
  assert.deepEqual(readdirSync(folder).sort(), ['dangling', 'folder', 'link', 'target']);
  assert.equal(readFileSync(join(folder, 'target'), 'utf8'), 'precious');
});

test('a file that appears while writing is not replaced', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'out.gguf');
  const writer = await GgufWriter.create(path, OPTIONS);
  await writer.write(new Uint8Array(12));
  await writer.write(new Uint8Array(32));
  writeFileSync(path, 'precious');
  await assertRefused(writer.finish(), 'target_exists', /found one/);
  assert.deepEqual(readdirSync(folder), ['out.gguf']);
  assert.equal(readFileSync(path, 'utf8'), 'precious');
});

test('leaves no file after an early finish or an abort', async (t) => {
  const folder = temporaryFolder(t);
  const early = await GgufWriter.create(join(folder, 'early.gguf'), OPTIONS);
  await early.write(new Uint8Array(12));
  await early.write(new Uint8Array(31));
  await assertRefused(early.finish(), 'malformed', /b: expected all bytes/);
  const given = await GgufWriter.create(join(folder, 'given.gguf'), OPTIONS);
  await given.abort();
  await given.abort();
  await assertRefused(given.write(new Uint8Array(1)), 'closed', /closed/);
  assert.deepEqual(readdirSync(folder), []);
});

test('bytes past the end of a tensor are refused', async (t) => {
  const writer = await GgufWriter.create(join(temporaryFolder(t), 'out.gguf'), OPTIONS);
  t.after(() => writer.abort());
  await assertRefused(writer.write(new Uint8Array(13)), 'malformed', /a: expected 12 bytes, got 13/);
});

test('asks the disk to work before the end, one flush at a time', async (t) => {
  const folder = temporaryFolder(t);
  const waiting: (() => void)[] = [];
  await replaceFlushes(t, folder, () => new Promise((resolve) => waiting.push(resolve)));
  const writer = await GgufWriter.create(join(folder, 'out.gguf'), { ...OPTIONS, flushEveryBytes: 8 });
  assert.equal(waiting.length, 1);
  await writer.write(new Uint8Array(12));
  assert.equal(waiting.length, 1);
  waiting[0]?.();
  await setImmediate();
  await writer.write(new Uint8Array(32));
  assert.equal(waiting.length, 2);
  waiting[1]?.();
  await writer.finish();
  assert.deepEqual(readdirSync(folder), ['out.gguf']);
});

test('a failure of an early flush ends the writing, also where the last flush succeeds', async (t) => {
  const folder = temporaryFolder(t);
  await replaceFlushes(t, folder, () => Promise.reject(Object.assign(new Error('lost'), { code: 'EIO' })));
  const create = () => GgufWriter.create(join(folder, 'out.gguf'), { ...OPTIONS, flushEveryBytes: 44 });
  const written = await create();
  await setImmediate();
  await assertRefused(written.write(new Uint8Array(12)), 'io', /could not write \(EIO\)/);
  await written.abort();
  const finished = await GgufWriter.create(join(folder, 'out.gguf'), {
    ...OPTIONS,
    flushEveryBytes: written.totalBytes,
  });
  await finished.write(new Uint8Array(12));
  await finished.write(new Uint8Array(32));
  await assertRefused(finished.finish(), 'io', /could not write \(EIO\)/);
  assert.deepEqual(readdirSync(folder), []);
});

async function replaceFlushes(t: TestContext, folder: string, flush: () => Promise<void>): Promise<void> {
  const handle = await open(folder);
  const prototype: FileHandle = Object.getPrototypeOf(handle);
  await handle.close();
  t.mock.method(prototype, 'datasync', flush);
}

test('refuses a missing folder and a disk without enough space before writing', async (t) => {
  const folder = temporaryFolder(t);
  await assertRefused(GgufWriter.create(join(folder, 'no/out.gguf'), OPTIONS), 'not_found', /folder/);
  const tensors = [{ name: 'a', shape: [2 ** 26, 2 ** 20], type: 'f32' }] as const;
  await assertRefused(GgufWriter.create(join(folder, 'out.gguf'), { ...OPTIONS, tensors }), 'disk_full', /free bytes/);
  assert.deepEqual(readdirSync(folder), []);
});
