import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PGlite } from '@electric-sql/pglite';
import { keepBaselineWasm } from '../testing/baseline-wasm.ts';
import { loadMigrations, type Migration, migrate } from './migrate.ts';
import { StoreError } from './store-error.ts';

let pglite: PGlite;
/** A store without a table. To make one takes twice as long as to copy it. */
let empty: Blob;
before(async () => {
  keepBaselineWasm();
  pglite = await PGlite.create();
  empty = await pglite.dumpDataDir('none');
});
after(() => pglite.close());

const first: Migration = {
  version: 1,
  name: '0001-a.sql',
  sql: 'CREATE TABLE a (x int); INSERT INTO a VALUES (1);',
  minReader: 1,
};
const second: Migration = {
  version: 2,
  name: '0002-b.sql',
  sql: 'ALTER TABLE a ADD y int NOT NULL DEFAULT 2;',
  minReader: 2,
};
const run = (migrations: readonly Migration[]): Promise<void> =>
  migrate((work) => pglite.transaction((tx) => work(tx)), migrations);
const code = (expected: string) => (error: unknown) => error instanceof StoreError && error.code === expected;

test('each migration is applied once, to an empty store and to an older one', async () => {
  await run([first]);
  await run([first, second]);
  await run([first, second]);
  assert.deepEqual((await pglite.query('SELECT * FROM a')).rows, [{ x: 1, y: 2 }]);
});

test('a start that finds all migrations there has no transaction for each of them', async () => {
  let transactions = 0;
  const counted = (migrations: readonly Migration[]): Promise<void> =>
    migrate((work) => {
      transactions++;
      return pglite.transaction((tx) => work(tx));
    }, migrations);
  await counted([first, second]);
  assert.equal(transactions, 2);
});

test('a migration that changed after it was applied is refused', async () => {
  await assert.rejects(run([{ ...first, sql: 'SELECT 1' }, second]), code('migration_changed'));
});

test('a store of a newer version is refused where a migration needs that version', async () => {
  await assert.rejects(run([first]), (error) => {
    assert.match(String(error), /its schema 2 needs a program of schema 2 or newer, got one of schema 1/);
    return code('store_newer')(error);
  });
});

test('a program of the version before starts on a newer schema that only adds', async () => {
  const store = await PGlite.create({ loadDataDir: empty });
  try {
    const migrateTo = (migrations: readonly Migration[]) =>
      migrate((work) => store.transaction((tx) => work(tx)), migrations);
    const third: Migration = { version: 3, name: '0003-c.sql', sql: 'ALTER TABLE a ADD z int;', minReader: 2 };
    await migrateTo([first, second, third]);
    await migrateTo([first, second]);
    await assert.rejects(migrateTo([first]), code('store_newer'));
    const { rows } = await store.query('SELECT version, min_reader FROM schema_migrations ORDER BY version');
    assert.deepEqual(rows, [
      { version: 1, min_reader: 1 },
      { version: 2, min_reader: 2 },
      { version: 3, min_reader: 2 },
    ]);
  } finally {
    await store.close();
  }
});

test('a store from before min_reader is read by no program older than its schema', async () => {
  const store = await PGlite.create({ loadDataDir: empty });
  try {
    const migrateTo = (migrations: readonly Migration[]) =>
      migrate((work) => store.transaction((tx) => work(tx)), migrations);
    await migrateTo([first, second]);
    await store.exec('ALTER TABLE schema_migrations DROP min_reader');
    await assert.rejects(migrateTo([first]), code('store_newer'));
    await migrateTo([first, second]);
  } finally {
    await store.close();
  }
});

test('a migration file says in its first line which programs may read its schema, or only its own may', async () => {
  for (const { version, minReader, sql } of await loadMigrations()) {
    assert.equal(minReader, /^-- min_reader: \d+\n/.test(sql) ? minReader : version);
    assert.ok(minReader <= version, String(version));
  }
});

test('a failing migration is rolled back whole', async () => {
  const broken: Migration = {
    version: 3,
    name: '0003-c.sql',
    sql: 'CREATE TABLE c (x int); SELECT 1/0;',
    minReader: 3,
  };
  await assert.rejects(run([first, second, broken]), code('migration_failed'));
  assert.deepEqual((await pglite.query("SELECT to_regclass('c') AS c")).rows, [{ c: null }]);
  await run([first, second]);
});

test('runs, data and usage of an earlier version are in the sums', async () => {
  const older = await PGlite.create({ loadDataDir: empty });
  try {
    const apply = (migrations: readonly Migration[]) =>
      migrate((work) => older.transaction((tx) => work(tx)), migrations);
    const all = await loadMigrations();
    const before = all.findIndex(({ name }) => name === '0025-run-sums.sql');
    await apply(all.slice(0, before));
    await older.exec(`
      INSERT INTO files (id, name, path, bytes, size_bytes, is_stored, created_at, project_id)
        SELECT 'f', 'd', 'p', '\\x00', 1, true, now(), id FROM projects LIMIT 1;
      INSERT INTO data (id, file_id, created_at, project_id) SELECT 'd', 'f', now(), project_id FROM files;
      INSERT INTO runs (id, project_id, pipeline_id, data_id, state, created_at, started_at, ended_at, error, error_exception,
          error_traceback, compute_time_ms)
        SELECT 'run' || i, project_id, 'p', 'd', CASE i WHEN 4 THEN 'received' ELSE 'failed' END, at, at,
          CASE WHEN i < 4 THEN at END, CASE WHEN i < 4 THEN 'pipeline_fault' END, CASE WHEN i < 4 THEN 'x' END,
          CASE WHEN i < 4 THEN 'x' END, i
        FROM files, (SELECT i, timestamptz '2026-03-01T10:30:00Z' + i * interval '10 minutes' AS at FROM generate_series(1, 4) i) r;
      INSERT INTO usage_daily (account_id, day, project_id, user_id, api_key_id, pipeline, plan_id, runs, prompt_tokens,
          generated_tokens, computed_tokens, cached_tokens, compute_ms)
        SELECT 'account', '2026-03-01', 'project' || i % 2, 'u', '', 'p' || i, 'free', 1, 2, 3, 4, 5, i
        FROM generate_series(1, 3) i`);
    await apply(all);
    const { rows } = await older.query(
      "SELECT to_char(hour AT TIME ZONE 'UTC', 'HH24:MI') AS hour, runs, failed, succeeded, compute_ms FROM run_sums ORDER BY hour",
    );
    assert.deepEqual(rows, [
      { hour: '10:00', runs: 2, failed: 2, succeeded: 0, compute_ms: 3 },
      { hour: '11:00', runs: 1, failed: 1, succeeded: 0, compute_ms: 3 },
    ]);
    const { rows: days } = await older.query(
      'SELECT day::text, plan_id, runs, computed_tokens, compute_ms FROM usage_account_days',
    );
    assert.deepEqual(days, [{ day: '2026-03-01', plan_id: 'free', runs: 3, computed_tokens: 12, compute_ms: 6 }]);
    assert.deepEqual((await older.query('SELECT data FROM project_storage')).rows, [{ data: 1 }]);
  } finally {
    await older.close();
  }
});
