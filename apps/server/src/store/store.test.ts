import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { eq, sql } from 'drizzle-orm';
import { pgTable, text } from 'drizzle-orm/pg-core';
import pg from 'pg';
import { collected } from '../testing/collected.ts';
import {
  createScratchDatabase,
  describeOnEveryStore,
  openScratchPostgres,
  WITHOUT_POSTGRES,
} from '../testing/test-store.ts';
import { bytea, moment } from './columns.ts';
import type { Database, Store } from './db.ts';
import { openPostgres } from './postgres.ts';
import { StoreError } from './store-error.ts';

/** A table with the column types that features use. */
const things = pgTable('store_test_things', {
  name: text('name').primaryKey(),
  bytes: bytea('bytes').notNull(),
  createdAt: moment('created_at').notNull(),
});

const makeThings = (store: Store) =>
  store.db.execute(
    sql`CREATE TABLE store_test_things (name text PRIMARY KEY, bytes bytea NOT NULL, created_at timestamptz NOT NULL)`,
  );
const insertThing = (db: Pick<Database, 'insert'>, name: string, createdAt: Date, bytes = new Uint8Array()) =>
  db.insert(things).values({ name, bytes, createdAt });
const findThing = async (db: Pick<Database, 'select'>, name: string) =>
  (await db.select().from(things).where(eq(things.name, name)))[0];

describeOnEveryStore('the store', (store) => {
  const value = async (expression: string): Promise<unknown> => {
    const result: unknown = await store().db.execute(sql.raw(`SELECT ${expression} AS value`));
    assert.ok(typeof result === 'object' && result !== null && 'rows' in result && Array.isArray(result.rows));
    return Reflect.get(Object(result.rows[0]), 'value');
  };

  before(() => makeThings(store()));

  test('every byte value is read back as written', async () => {
    const bytes = Uint8Array.from({ length: 512 }, (_, i) => i);
    await insertThing(store().db, 'bytes', new Date(0), bytes);
    const found = await findThing(store().db, 'bytes');
    assert.deepEqual([...(found?.bytes ?? [])], [...bytes]);
  });

  test('timestamps keep their milliseconds on both sides of every daylight-saving change', async () => {
    for (const time of ['1969-12-31T23:59:59.999Z', '2026-03-29T01:30:00.001Z', '2026-10-25T01:30:00.123Z']) {
      await insertThing(store().db, time, new Date(time));
      assert.equal((await findThing(store().db, time))?.createdAt.toISOString(), time);
    }
  });

  test('both stores read bigint as a number while exact, and numeric as a string', async () => {
    assert.equal(await value('9007199254740991::bigint'), 9007199254740991);
    assert.equal(await value('9007199254740993::bigint'), 9007199254740993n);
    assert.equal(await value('count(*)'), 1);
    assert.equal(await value('1.50::numeric'), '1.50');
    assert.equal(await value('sum(2::bigint)'), '2');
    assert.equal(await value('1.5::double precision'), 1.5);
    assert.equal(await value('true'), true);
  });

  test('a transaction that throws is rolled back', async () => {
    const failing = store().db.transaction(async (tx) => {
      await insertThing(tx, 'never', new Date(0));
      throw new Error('no');
    });
    await assert.rejects(failing, /no/);
    assert.equal(await findThing(store().db, 'never'), undefined);
  });

  test('only the embedded store offers a dump', async () => {
    const dump = await collected(store().dump?.());
    // 1f 8b: gzip.
    if (dump.length > 0) assert.deepEqual([...dump.subarray(0, 2)], [0x1f, 0x8b]);
  });
});

test('servers that start together on one PostgreSQL apply the migrations once', {
  skip: WITHOUT_POSTGRES,
}, async () => {
  const scratch = await createScratchDatabase();
  try {
    const stores = await Promise.all(Array.from({ length: 4 }, () => openPostgres(scratch.url, { maxConnections: 2 })));
    const counted: unknown = await stores[0]?.db.execute(
      sql`SELECT count(*) = count(DISTINCT version) AS once, count(*) > 0 AS any FROM schema_migrations`,
    );
    assert.ok(typeof counted === 'object' && counted !== null && 'rows' in counted);
    assert.deepEqual(counted.rows, [{ once: true, any: true }]);
    await Promise.all(stores.map((store) => store.close()));
  } finally {
    await scratch.drop();
  }
});

test('a server that starts on a PostgreSQL makes one connection, however many migrations there are', {
  skip: WITHOUT_POSTGRES,
}, async (t) => {
  const scratch = await createScratchDatabase();
  try {
    const connect = t.mock.method(pg.Client.prototype, 'connect');
    const store = await openPostgres(scratch.url);
    await store.close();
    assert.equal(connect.mock.callCount(), 1);
  } finally {
    await scratch.drop();
  }
});

test('two transactions that select for update skip the rows that the other has locked', {
  skip: WITHOUT_POSTGRES,
}, async () => {
  const store = await openScratchPostgres();
  try {
    await makeThings(store);
    for (let i = 0; i < 2; i++) await insertThing(store.db, `${i}`, new Date(i));
    const take = (db: Pick<Database, 'select'>) =>
      db
        .select({ name: things.name })
        .from(things)
        .orderBy(things.createdAt)
        .limit(1)
        .for('update', { skipLocked: true });
    await store.db.transaction(async (first) => {
      assert.deepEqual(await take(first), [{ name: '0' }]);
      await store.db.transaction(async (second) => {
        assert.deepEqual(await take(second), [{ name: '1' }]);
      });
    });
  } finally {
    await store.close();
  }
});

test('an unreachable PostgreSQL is refused without the password in the message', async () => {
  await assert.rejects(
    openPostgres('postgres://user:hunter2@127.0.0.1:1/none'),
    (error) =>
      error instanceof StoreError &&
      error.code === 'database_unreachable' &&
      error.message.includes('DATABASE_URL') &&
      !error.message.includes('hunter2'),
  );
});
