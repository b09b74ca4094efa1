import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { createScratchDatabase, fillDataDir, type ScratchDatabase, WITHOUT_POSTGRES } from '../testing/test-store.ts';
import { BackupError } from './backup.ts';
import { CopyError } from './copy-error.ts';
import { lockDataDir } from './data-dir-lock.ts';
import { type Database, openStore } from './db.ts';
import { copyFromPostgres, copyToPostgres } from './move-store.ts';
import { openPostgres } from './postgres.ts';
import { returnedRows } from './returned-rows.ts';
import { StoreError } from './store-error.ts';

const skip = WITHOUT_POSTGRES;
const USER = 'user_00000000000000000000000000000000';
const PROJECT = 'project_00000000000000000000000000000000';

let base: string;
let database: ScratchDatabase;
before(async () => {
  base = await mkdtemp(join(tmpdir(), 'gptj-move-'));
  if (skip === false) database = await createScratchDatabase();
});
after(async () => {
  if (skip === false) await database.drop();
  await rm(base, { recursive: true });
});

async function filledFolder(name: string): Promise<string> {
  const folder = join(base, name);
  await fillDataDir(folder);
  const store = await openStore(join(folder, 'postgres'));
  await fill(store.db);
  await store.close();
  return folder;
}

/** Rows of every kind of value that the store has: bytes, texts of any letters, empty and missing ones, numbers, JSON. */
async function fill(db: Database): Promise<void> {
  const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * 7) % 256));
  await db.execute(
    sql`INSERT INTO files (id, project_id, name, path, size_bytes, bytes, is_stored, created_at) SELECT 'file_' || i, ${PROJECT}, ${'näme "\\ {,}\n\t\'NULL'} || i, 'p' || i, ${bytes.length}, ${bytes}, true, '2026-01-02T03:04:05.678901Z'::timestamptz + i * interval '1 s' FROM generate_series(1, 300) i`,
  );
  await db.execute(
    sql`INSERT INTO audit_log (at, user_id, action, subject, address, request_id, details) SELECT now(), NULLIF(${USER}, CASE WHEN i % 2 = 0 THEN ${USER} END), 'x', '', '', 'r' || i, '{"a": [1, null, "ü"]}' FROM generate_series(1, 2500) i`,
  );
}

const count = async (db: Database, table: string): Promise<number> =>
  returnedRows(
    await db.execute(sql`SELECT count(*)::int AS n FROM ${sql.identifier(table)}`),
    z.object({ n: z.number() }),
  )[0]?.n ?? -1;
const codeOf =
  (kind: typeof CopyError | typeof BackupError | typeof StoreError, code: string) =>
  (error: unknown): boolean =>
    error instanceof kind && error.code === code;

test('a store moves to PostgreSQL and back with every row, and a second copy is refused', { skip }, async () => {
  const folder = await filledFolder('source');
  const seen: number[] = [];
  const there = await copyToPostgres(folder, database.url, {
    onProgress: ({ doneBytes, totalBytes }) => seen.push(doneBytes / totalBytes),
  });
  assert.deepEqual(
    [...seen].sort((a, b) => a - b),
    seen,
  );
  assert.ok((seen.at(-1) ?? 0) > 0.9 && (seen.at(-1) ?? 2) <= 1);
  assert.deepEqual(
    there.filter(({ name }) => ['files', 'audit_log'].includes(name)).map(({ rows }) => rows),
    ['2500', '300'],
  );
  await assert.rejects(copyToPostgres(folder, database.url), codeOf(CopyError, 'target_not_empty'));

  const target = await openPostgres(database.url);
  try {
    // Triggers, references and numbering work as before.
    await target.db.execute(sql`INSERT INTO audit_log (at, action, details) VALUES (now(), 'y', '{}')`);
    await assert.rejects(target.db.execute(sql`UPDATE audit_log SET action = 'z'`));
    await assert.rejects(target.db.execute(sql`UPDATE files SET project_id = 'nothing'`));
  } finally {
    await target.close();
  }

  const back = join(base, 'back');
  const returned = await copyFromPostgres(database.url, back);
  const withoutLog = (tables: typeof there) => tables.filter(({ name }) => name !== 'audit_log');
  assert.deepEqual(withoutLog(returned), withoutLog(there));
  const store = await openStore(join(back, 'postgres'));
  assert.equal(await count(store.db, 'audit_log'), 2501);
  await store.close();
  await assert.rejects(copyFromPostgres(database.url, back), codeOf(BackupError, 'store_present'));
  assert.deepEqual(
    (await readdir(back)).filter((name) => name.startsWith('copy-')),
    [],
  );
});

test('a copy that is stopped, or whose source is in use, leaves the target empty', { skip }, async () => {
  const other = await createScratchDatabase();
  try {
    const folder = await filledFolder('stopped');
    const stop = new AbortController();
    const onProgress = ({ table }: { table: string }): void => {
      if (table === 'runs') stop.abort();
    };
    const stopped = copyToPostgres(folder, other.url, { onProgress, signal: stop.signal });
    await assert.rejects(stopped, codeOf(CopyError, 'copy_stopped'));
    const lock = await lockDataDir(folder);
    await assert.rejects(copyToPostgres(folder, other.url), codeOf(StoreError, 'data_dir_in_use'));
    await lock.release();
    const target = await openPostgres(other.url);
    assert.deepEqual([await count(target.db, 'files'), await count(target.db, 'users')], [0, 1]);
    await target.db.execute(sql`INSERT INTO usage_holders VALUES ('a server', now() + interval '1 minute')`);
    await target.close();
    await assert.rejects(copyFromPostgres(other.url, join(base, 'none')), codeOf(CopyError, 'store_in_use'));
    assert.deepEqual(await readdir(join(base, 'none')), []);
  } finally {
    await other.drop();
  }
});

test('a folder without a store is refused before anything is asked of PostgreSQL', async () => {
  await assert.rejects(
    copyToPostgres(join(base, 'empty'), 'postgres://nowhere/x'),
    codeOf(BackupError, 'store_missing'),
  );
});
