import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PGlite } from '@electric-sql/pglite';
import { keepBaselineWasm } from '../testing/baseline-wasm.ts';
import { type Migration, migrate } from './migrate.ts';
import { StoreError } from './store-error.ts';

let pglite: PGlite;
before(async () => {
  keepBaselineWasm();
  pglite = await PGlite.create();
});
after(() => pglite.close());

const first: Migration = { version: 1, name: '0001-a.sql', sql: 'CREATE TABLE a (x int); INSERT INTO a VALUES (1);' };
const second: Migration = { version: 2, name: '0002-b.sql', sql: 'ALTER TABLE a ADD y int NOT NULL DEFAULT 2;' };
const run = (migrations: readonly Migration[]): Promise<void> =>
  migrate((work) => pglite.transaction((tx) => work(tx)), migrations);
const code = (expected: string) => (error: unknown) => error instanceof StoreError && error.code === expected;

test('each migration is applied once, to an empty store and to an older one', async () => {
  await run([first]);
  await run([first, second]);
  await run([first, second]);
  assert.deepEqual((await pglite.query('SELECT * FROM a')).rows, [{ x: 1, y: 2 }]);
});

test('a migration that changed after it was applied is refused', async () => {
  await assert.rejects(run([{ ...first, sql: 'SELECT 1' }, second]), code('migration_changed'));
});

test('a store of a newer version is refused', async () => {
  await assert.rejects(run([first]), code('store_newer'));
});

test('a failing migration is rolled back whole', async () => {
  const broken: Migration = { version: 3, name: '0003-c.sql', sql: 'CREATE TABLE c (x int); SELECT 1/0;' };
  await assert.rejects(run([first, second, broken]), code('migration_failed'));
  assert.deepEqual((await pglite.query("SELECT to_regclass('c') AS c")).rows, [{ c: null }]);
  await run([first, second]);
});
