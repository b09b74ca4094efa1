import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from 'drizzle-orm';
import { openScratchPostgres, openTestStore, WITHOUT_POSTGRES } from '../testing/test-store.ts';
import { readOldestTransactionSeconds } from './oldest-transaction.ts';

test('a store without another transaction has none that is old', async () => {
  const store = await openTestStore();
  try {
    assert.equal(await readOldestTransactionSeconds(store.db), 0);
  } finally {
    await store.close();
  }
});

test('a session that waits with an open transaction counts', { skip: WITHOUT_POSTGRES }, async () => {
  const store = await openScratchPostgres();
  try {
    await store.db.transaction(async (tx) => {
      await tx.execute(sql`CREATE TABLE held (x int)`);
      assert.ok((await readOldestTransactionSeconds(store.db)) > 0);
    });
    assert.equal(await readOldestTransactionSeconds(store.db), 0);
  } finally {
    await store.close();
  }
});
