import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from 'drizzle-orm';
import { newFile } from '../files/file.ts';
import { findFile, insertFile } from '../files/file-store.ts';
import {
  createScratchDatabase,
  describeOnEveryStore,
  openScratchPostgres,
  WITHOUT_POSTGRES,
} from '../testing/test-store.ts';
import { openPostgres } from './postgres.ts';
import { files } from './schema.ts';
import { StoreError } from './store-error.ts';

describeOnEveryStore('the store', (store) => {
  const value = async (expression: string): Promise<unknown> => {
    const result: unknown = await store().db.execute(sql.raw(`SELECT ${expression} AS value`));
    assert.ok(typeof result === 'object' && result !== null && 'rows' in result && Array.isArray(result.rows));
    return Reflect.get(Object(result.rows[0]), 'value');
  };

  test('bytes come back as they went in, every value of them', async () => {
    const bytes = Uint8Array.from({ length: 512 }, (_, i) => i);
    const file = newFile('bytes', bytes);
    await insertFile(store().db, file, new Date(0));
    const found = await findFile(store().db, file.id, 'all');
    assert.deepEqual([...(found?.bytes ?? [])], [...bytes]);
    assert.equal(found?.sizeBytes, 512);
  });

  test('moments keep their milliseconds, before and after every change of clocks', async () => {
    for (const time of ['1969-12-31T23:59:59.999Z', '2026-03-29T01:30:00.001Z', '2026-10-25T01:30:00.123Z']) {
      const file = newFile('moment', new Uint8Array());
      await insertFile(store().db, file, new Date(time));
      const rows = await store().db.select().from(files).where(sql`${files.id} = ${file.id}`);
      assert.equal(rows[0]?.createdAt.toISOString(), time);
    }
  });

  test('numbers come back alike: bigint as a number while exact, numeric as text', async () => {
    assert.equal(await value('9007199254740991::bigint'), 9007199254740991);
    assert.equal(await value('9007199254740993::bigint'), 9007199254740993n);
    assert.equal(await value('count(*)'), 1);
    assert.equal(await value('1.50::numeric'), '1.50');
    assert.equal(await value('sum(2::bigint)'), '2');
    assert.equal(await value('1.5::double precision'), 1.5);
    assert.equal(await value('true'), true);
  });

  test('of a transaction that throws nothing is kept', async () => {
    const file = newFile('never', new Uint8Array());
    const failing = store().db.transaction(async (tx) => {
      await insertFile(tx, file, new Date(0));
      throw new Error('no');
    });
    await assert.rejects(failing, /no/);
    assert.equal(await findFile(store().db, file.id, 'all'), null);
  });

  test('a dump is there for the embedded store alone', async () => {
    const dump = await store().dump?.();
    // 1f 8b: gzip.
    if (dump !== undefined) assert.deepEqual([...dump.subarray(0, 2)], [0x1f, 0x8b]);
  });
});

test('servers that start together on one PostgreSQL migrate once', { skip: WITHOUT_POSTGRES }, async () => {
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

test('two that take rows for update skip what the other holds', { skip: WITHOUT_POSTGRES }, async () => {
  const store = await openScratchPostgres();
  try {
    for (let i = 0; i < 2; i++) await insertFile(store.db, newFile(`${i}`, new Uint8Array()), new Date(i));
    const take = (db: Pick<typeof store.db, 'select'>) =>
      db.select({ name: files.name }).from(files).orderBy(files.createdAt).limit(1).for('update', { skipLocked: true });
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

test('a PostgreSQL out of reach is refused without telling the password', async () => {
  await assert.rejects(
    openPostgres('postgres://user:hunter2@127.0.0.1:1/none'),
    (error) =>
      error instanceof StoreError &&
      error.code === 'database_unreachable' &&
      error.message.includes('DATABASE_URL') &&
      !error.message.includes('hunter2'),
  );
});
