import assert from 'node:assert/strict';
import { constants, existsSync, readFileSync, rmSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from './reader.contract.ts';
import { SequentialFile } from './sequential-file.ts';

/** Ends within a block, after four buffers of 4 MiB. */
const SIZE_BYTES = 16 * 1024 * 1024 + 4096 + 5;
const EXPECTED = Buffer.from(Uint32Array.from({ length: SIZE_BYTES / 4 + 1 }, (_, i) => i).buffer, 0, SIZE_BYTES);

test('a large file has its bytes and no more, in whole blocks past the cache', async (t) => {
  const path = join(temporaryFolder(t), 'file');
  const isPossible = await hasUncachedWrites(path);
  const writes = await replaceWrites(t, path, async (write) => await write());
  await append(path, 1);
  assert.ok(readFileSync(path).equals(EXPECTED));
  if (!isPossible) return;
  assert.deepEqual(
    writes.map(({ length, position }) => [length % 4096, position % 4096]),
    writes.map(() => [0, 0]),
  );
  assert.equal(writes.length, 5);
});

test('a small file goes through the cache as it comes', async (t) => {
  const path = join(temporaryFolder(t), 'file');
  const writes = await replaceWrites(t, path, async (write) => await write());
  await append(path, SIZE_BYTES + 1);
  assert.ok(readFileSync(path).equals(EXPECTED));
  assert.ok(writes.length > 5, `${writes.length} writes`);
});

test('a file system that refuses writes past the cache gets them through it', async (t) => {
  const path = join(temporaryFolder(t), 'file');
  if (!(await hasUncachedWrites(path))) return t.skip('no writes past the cache here');
  let refusing: FileHandle | null = null;
  let refusals = 0;
  await replaceWrites(t, path, async (write, _, handle) => {
    refusing ??= handle;
    if (handle !== refusing) return await write();
    refusals++;
    throw Object.assign(new Error('refused'), { code: 'EINVAL' });
  });
  await append(path, 1);
  assert.ok(refusals > 0);
  assert.ok(readFileSync(path).equals(EXPECTED));
});

test('a write that fails ends the writing, whether it is the last or not', async (t) => {
  const path = join(temporaryFolder(t), 'file');
  const failing = (from: number) => async (write: () => Promise<unknown>, at: number) => {
    if (at >= from) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    return await write();
  };
  await replaceWrites(t, path, failing(0));
  await assert.rejects(append(path, 1), { code: 'ENOSPC' });
  t.mock.restoreAll();
  await replaceWrites(t, `${path}.other`, failing(16 * 1024 * 1024));
  await assert.rejects(append(`${path}.other`, 1), { code: 'ENOSPC' });
});

/** Writes the expected bytes in pieces of many sizes. */
async function append(path: string, uncachedFromBytes: number): Promise<void> {
  const file = await SequentialFile.create(path, { sizeBytes: SIZE_BYTES, uncachedFromBytes });
  try {
    for (let at = 0, size = 1; at < SIZE_BYTES; at += size, size = (7 * size + 3) % (5 * 1024 * 1024)) {
      const piece = Buffer.from(EXPECTED.subarray(at, at + size));
      await file.append(piece);
      // The caller may use its memory again.
      piece.fill(0);
    }
    await file.finish();
  } finally {
    await file.close();
  }
}

async function hasUncachedWrites(path: string): Promise<boolean> {
  const flag: number | undefined = constants.O_DIRECT;
  try {
    const handle = await open(path, constants.O_CREAT | constants.O_WRONLY | (flag ?? 0));
    await handle.close();
    return flag !== undefined;
  } catch {
    return false;
  } finally {
    rmSync(path, { force: true });
  }
}

interface SeenWrite {
  readonly length: number;
  readonly position: number;
}

async function replaceWrites(
  t: TestContext,
  path: string,
  replacement: (write: () => Promise<unknown>, position: number, handle: FileHandle) => Promise<unknown>,
): Promise<readonly SeenWrite[]> {
  assert.ok(!existsSync(path));
  const writes: SeenWrite[] = [];
  const handle = await open(join(path, '..'));
  const prototype: FileHandle = Object.getPrototypeOf(handle);
  await handle.close();
  const original = prototype.write;
  t.mock.method(prototype, 'write', function (this: FileHandle, ...given: readonly unknown[]) {
    const [length, position] = [Number(given[2]), Number(given[3])];
    writes.push({ length, position });
    return replacement(async () => await Reflect.apply(original, this, given), position, this);
  });
  return writes;
}
