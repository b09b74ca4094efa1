import { createHash, randomBytes } from 'node:crypto';
import { cpSync } from 'node:fs';
import { access, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { sql } from 'drizzle-orm';
import pg from 'pg';
import { openStore, type Store } from '../store/db.ts';
import { loadMigrations } from '../store/migrate.ts';
import { openPostgres } from '../store/postgres.ts';
import { keepBaselineWasm } from './baseline-wasm.ts';
import { collected } from './collected.ts';

/** A PostgreSQL in which tests may create databases; undefined when there is none. */
const TEST_DATABASE_URL: string | undefined = process.env.TEST_DATABASE_URL || undefined;

/**
 * What makes a template of the embedded store small. PostgreSQL clears its buffers when it opens a store, and the embedded one takes
 * most of a second to clear the 128 MB that it has by default. Without the databases that nothing connects to, there are half as
 * many files to read and write.
 */
const SHRINKING: readonly string[] = [
  `ALTER SYSTEM SET shared_buffers = '8MB'`,
  'UPDATE pg_database SET datistemplate = false WHERE datistemplate',
  'DROP DATABASE template0',
  'DROP DATABASE template1',
];

/** Key of the advisory lock of the process that makes the template. An arbitrary constant. */
const TEMPLATE_LOCK = 7_024_202_202;

let template: Promise<string> | null = null;

/** The `skip` option of tests that need a PostgreSQL. */
export const WITHOUT_POSTGRES: string | false =
  TEST_DATABASE_URL === undefined ? 'TEST_DATABASE_URL names no PostgreSQL to test on' : false;

/** The `skip` option of tests that need the embedded store, in a run for PostgreSQL. */
const WITHOUT_EMBEDDED: string | false =
  process.env.TEST_STORE === 'postgres' ? 'TEST_STORE asks for a PostgreSQL alone' : false;

/** A new database, dropped by `drop`. */
export interface ScratchDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** Empty, or a copy of the database `template`. */
export async function createScratchDatabase(template = 'template1'): Promise<ScratchDatabase> {
  const name = `gptj_test_${randomBytes(8).toString('hex')}`;
  await administer((client) => client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`));
  return {
    url: databaseUrl(name),
    drop: () => administer((client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)),
  };
}

function databaseUrl(name: string): string {
  if (TEST_DATABASE_URL === undefined) throw new Error(String(WITHOUT_POSTGRES));
  const url = new URL(TEST_DATABASE_URL);
  url.pathname = `/${name}`;
  return url.href;
}

async function administer(work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  if (TEST_DATABASE_URL === undefined) throw new Error(String(WITHOUT_POSTGRES));
  const client = new pg.Client({ connectionString: TEST_DATABASE_URL });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

/**
 * The name of a database with the current migrations. It stays on the PostgreSQL: to copy it takes a third of the time of the
 * migrations.
 */
async function templateDatabase(): Promise<string> {
  const name = `gptj_test_template_${await schemaHash()}`;
  await administer(async (client) => {
    const isThere = async (): Promise<boolean> =>
      (await client.query('SELECT FROM pg_database WHERE datname = $1', [name])).rows.length > 0;
    if (await isThere()) return;
    // Test files run in parallel: one makes it, and none may find half of it.
    await client.query('SELECT pg_advisory_lock($1)', [TEMPLATE_LOCK]);
    if (await isThere()) return;
    const unfinished = `${name}_unfinished`;
    await client.query(`DROP DATABASE IF EXISTS ${unfinished}`);
    await client.query(`CREATE DATABASE ${unfinished}`);
    await (await openPostgres(databaseUrl(unfinished))).close();
    await client.query(`ALTER DATABASE ${unfinished} RENAME TO ${name}`);
  });
  return name;
}

/** A store in a new database on PostgreSQL; closing it drops the database. */
export async function openScratchPostgres(): Promise<Store> {
  template ??= templateDatabase();
  const scratch = await createScratchDatabase(await template);
  try {
    const store = await openPostgres(scratch.url);
    return {
      ...store,
      async close() {
        await store.close();
        await scratch.drop();
      },
    };
  } catch (error) {
    await scratch.drop();
    throw error;
  }
}

/**
 * Run a suite on the embedded PostgreSQL and, where TEST_DATABASE_URL names one, on a real PostgreSQL; with TEST_STORE=postgres
 * on that alone.
 *
 * @param suite declares its tests; `store()` gives the store from inside of them: one per engine, shared by the tests
 */
export function describeOnEveryStore(name: string, suite: (store: () => Store) => void): void {
  const engines: readonly (readonly [name: string, open: () => Promise<Store>, skip: string | false])[] = [
    ['PGlite', openEmbeddedTestStore, WITHOUT_EMBEDDED],
    ['PostgreSQL', openScratchPostgres, WITHOUT_POSTGRES],
  ];
  for (const [engine, open, skip] of engines) {
    describe(`${name} on ${engine}`, { skip }, () => {
      let store: Store | undefined;
      before(async () => {
        store = await open();
      });
      after(() => store?.close());
      suite(() => {
        if (store === undefined) throw new Error('the store is there inside of tests and hooks');
        return store;
      });
    });
  }
}

/** A fresh store for a test file: embedded and in memory, or with TEST_STORE=postgres on the PostgreSQL of TEST_DATABASE_URL. */
export async function openTestStore(): Promise<Store> {
  return process.env.TEST_STORE === 'postgres' ? await openScratchPostgres() : await openEmbeddedTestStore();
}

/** In memory, from a template that is made once: a new PostgreSQL takes seconds. */
export async function openEmbeddedTestStore(): Promise<Store> {
  keepBaselineWasm();
  const path = await templatePath('.tar');
  const template = await readFile(path).catch(() => null);
  if (template !== null) return await openStore(null, { tar: new Uint8Array(template) });
  const store = await openStore(null);
  await shrink(store);
  if (store.dump !== null) {
    const dump = await collected(store.dump());
    await appear(path, (aside) => writeFile(aside, gunzipSync(dump)));
  }
  return store;
}

/** Put an empty store into a data folder, a copy of one made once. */
export async function fillDataDir(dataDir: string): Promise<void> {
  keepBaselineWasm();
  const template = await templatePath('');
  const isThere = await access(template).then(
    () => true,
    () => false,
  );
  if (!isThere) {
    await appear(template, async (aside) => {
      const store = await openStore(aside);
      await shrink(store);
      await store.close();
    });
  }
  // Hundreds of small files: the asynchronous `cp` takes more than twice as long.
  cpSync(template, join(dataDir, 'postgres'), { recursive: true });
}

async function shrink({ db }: Store): Promise<void> {
  for (const statement of SHRINKING) await db.execute(sql.raw(statement));
}

/** The path of the template for the current migrations. */
async function templatePath(ending: string): Promise<string> {
  return fileURLToPath(new URL(`../test-store-${await schemaHash()}${ending}`, import.meta.url));
}

async function schemaHash(): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([await loadMigrations(), SHRINKING]));
  return hash.digest('hex').slice(0, 16);
}

/** Create a file or folder in one step: test files run in parallel, and none may find half a template. */
async function appear(path: string, make: (aside: string) => Promise<void>): Promise<void> {
  const aside = `${path}.${process.pid}`;
  await make(aside);
  try {
    await rename(aside, path);
  } catch (error) {
    // Another test file was first.
    await rm(aside, { recursive: true });
    await access(path).catch(() => {
      throw error;
    });
  }
}
