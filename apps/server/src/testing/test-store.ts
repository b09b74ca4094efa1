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

/** `shared_buffers` of a template of the embedded store. */
const TEMPLATE_BUFFERS = '8MB';

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

export async function createScratchDatabase(): Promise<ScratchDatabase> {
  if (TEST_DATABASE_URL === undefined) throw new Error(String(WITHOUT_POSTGRES));
  const name = `gptj_test_${randomBytes(8).toString('hex')}`;
  await administer(TEST_DATABASE_URL, `CREATE DATABASE ${name}`);
  const url = new URL(TEST_DATABASE_URL);
  url.pathname = `/${name}`;
  const base = TEST_DATABASE_URL;
  return { url: url.href, drop: () => administer(base, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

async function administer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/** A store in a new database on PostgreSQL; closing it drops the database. */
export async function openScratchPostgres(): Promise<Store> {
  const scratch = await createScratchDatabase();
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
  await shrinkBuffers(store);
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
      await shrinkBuffers(store);
      await store.close();
    });
  }
  // A thousand small files: the asynchronous `cp` takes more than twice as long.
  cpSync(template, join(dataDir, 'postgres'), { recursive: true });
}

/**
 * PostgreSQL clears its buffers when it opens a store, and the embedded one takes most of a second to clear the 128 MB that it
 * has by default. Stores of tests are small.
 */
async function shrinkBuffers({ db }: Store): Promise<void> {
  await db.execute(sql`ALTER SYSTEM SET shared_buffers = ${sql.raw(`'${TEMPLATE_BUFFERS}'`)}`);
}

/** The path of the template for the current migrations. */
async function templatePath(ending: string): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([await loadMigrations(), TEMPLATE_BUFFERS]));
  return fileURLToPath(new URL(`../test-store-${hash.digest('hex').slice(0, 16)}${ending}`, import.meta.url));
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
