import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { sql } from 'drizzle-orm';
import { collected } from '../testing/collected.ts';
import { fillDataDir } from '../testing/test-store.ts';
import { BackupError, dumpDataDir, restoreDataDir, storeFolder, writeBackup } from './backup.ts';
import { lockDataDir } from './data-dir-lock.ts';
import { openStore } from './db.ts';
import { StoreError } from './store-error.ts';

let folder: string;
/** A backup of a store in use. */
let dump: Uint8Array;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gptj-backup-'));
  await mkdir(join(folder, 'first'));
  await fillDataDir(join(folder, 'first'));
  const store = await openStore(storeFolder(join(folder, 'first')));
  await store.db.execute(sql`CREATE TABLE kept (x bytea)`);
  await store.db.execute(sql`INSERT INTO kept VALUES ('\\x00ff'), ('\\x01')`);
  dump = await collected(store.dump?.());
  await store.close();
});
after(() => rm(folder, { recursive: true }));

const code = (expected: string) => (error: unknown) => error instanceof BackupError && error.code === expected;
async function* chunks(...list: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* list;
}
async function rows(dataDir: string): Promise<unknown> {
  const store = await openStore(storeFolder(dataDir));
  try {
    const result: unknown = await store.db.execute(sql`SELECT encode(x, 'hex') AS x FROM kept ORDER BY x`);
    return Reflect.get(Object(result), 'rows');
  } finally {
    await store.close();
  }
}

test('a restored backup of a store in use holds its rows', async () => {
  const path = join(folder, 'in-use.tar.gz');
  assert.equal(await writeBackup(path, chunks(dump.subarray(0, 1000), dump.subarray(1000))), dump.byteLength);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  await restoreDataDir(join(folder, 'second'), path);
  assert.deepEqual(await rows(join(folder, 'second')), [{ x: '00ff' }, { x: '01' }]);
  assert.deepEqual(await readdir(join(folder, 'second')), ['postgres']);
});

test('the folder of a stopped server can be dumped; a folder in use or without a store is refused', async () => {
  const dataDir = join(folder, 'first');
  const bytes = await collected(dumpDataDir(dataDir));
  assert.deepEqual([...bytes.subarray(0, 2)], [0x1f, 0x8b]);
  const lock = await lockDataDir(dataDir);
  await assert.rejects(
    collected(dumpDataDir(dataDir)),
    (error) => error instanceof StoreError && error.code === 'data_dir_in_use',
  );
  await lock.release();
  await assert.rejects(collected(dumpDataDir(join(folder, 'nowhere'))), code('store_missing'));
  await assert.rejects(stat(join(folder, 'nowhere')));
});

test('neither a backup nor a store is overwritten', async () => {
  const path = join(folder, 'there.tar.gz');
  await writeFile(path, 'precious');
  await assert.rejects(writeBackup(path, chunks(dump)), code('backup_exists'));
  assert.equal(await readFile(path, 'utf8'), 'precious');
  const good = join(folder, 'good.tar.gz');
  await writeBackup(good, chunks(dump));
  await assert.rejects(restoreDataDir(join(folder, 'first'), good), code('store_present'));
});

test('an interrupted backup leaves no file behind', async () => {
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield dump.subarray(0, 100);
    throw new Error('connection lost');
  }
  await assert.rejects(writeBackup(join(folder, 'broken.tar.gz'), broken()), /connection lost/);
  assert.ok(!(await readdir(folder)).some((name) => name.startsWith('broken')));
});

test('a file that is not a backup is refused, and the data folder can still be restored into', async () => {
  const dataDir = join(folder, 'third');
  const files: readonly (readonly [name: string, bytes: Uint8Array])[] = [
    ['text', Buffer.from('no backup')],
    ['cut', dump.subarray(0, dump.byteLength >> 1)],
  ];
  for (const [name, bytes] of files) {
    await writeFile(join(folder, name), bytes);
    await assert.rejects(restoreDataDir(dataDir, join(folder, name)), code('backup_unreadable'), name);
  }
  await assert.rejects(restoreDataDir(dataDir, join(folder, 'missing')), code('backup_unreadable'));
  const left = await readdir(dataDir).catch(() => []);
  assert.deepEqual(left, []);
});
