import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { sql } from 'drizzle-orm';
import { fillDataDir } from '../../testing/test-store.ts';
import { openStore } from '../db.ts';
import { StoreError } from '../store-error.ts';

let dataDir: string;
let folder: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'gptj-open-'));
  folder = join(dataDir, 'postgres');
  await fillDataDir(dataDir);
});
afterEach(() => rm(dataDir, { recursive: true }));

const opens = async (): Promise<void> => {
  const store = await openStore(folder);
  await store.db.execute(sql`SELECT 1`);
  await store.close();
};
const refused = (words: RegExp) => (error: unknown) =>
  error instanceof StoreError &&
  error.code === 'store_unusable' &&
  error.message.includes(folder) &&
  words.test(error.message);

test('a lock of PostgreSQL that a dead process left is removed, also an empty one', async () => {
  for (const text of ['', `${process.pid}\n/pglite/data\n`, 'no number']) {
    await writeFile(join(folder, 'postmaster.pid'), text);
    await opens();
  }
});

test('a store that was never finished is made anew', async () => {
  await writeFile(`${folder}.incomplete`, '');
  await writeFile(join(folder, 'global', 'pg_control'), '');
  await opens();
  await opens();
});

test('the reason is reported for another version, a damaged control file, and a file in the place of the folder', async () => {
  const control = await readFile(join(folder, 'global', 'pg_control'));
  control[20] = control[20]! ^ 0xff;
  await writeFile(join(folder, 'global', 'pg_control'), control);
  await assert.rejects(openStore(folder), refused(/PostgreSQL reports: .*(?:checksum|control|incompatible)/));
  await writeFile(join(folder, 'PG_VERSION'), '15\n');
  await assert.rejects(openStore(folder), refused(/expected data of PostgreSQL 18, got those of version "15"/));
  await rm(folder, { recursive: true });
  await writeFile(folder, '');
  await assert.rejects(openStore(folder), refused(/expected a folder, got a file/));
});

test('files of another user are named', {
  skip: process.getuid?.() === 0 ? 'root reads every file' : false,
}, async () => {
  await mkdir(join(folder, 'global'), { recursive: true });
  await chmod(join(folder, 'global', 'pg_control'), 0o000);
  await assert.rejects(openStore(folder), refused(/pg_control belongs to user/));
});
