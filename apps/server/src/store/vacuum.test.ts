import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { openEmbeddedTestStore } from '../testing/test-store.ts';
import { until } from '../testing/until.ts';
import { returnedRows } from './returned-rows.ts';
import { vacuumMostChanged } from './vacuum.ts';

test('a table of the embedded store is vacuumed once after many changes, and then answers from its index alone', async () => {
  const { db, close } = await openEmbeddedTestStore();
  const plan = async (): Promise<string> => {
    const rows = await db.execute(sql`EXPLAIN (ANALYZE) SELECT id FROM audit_log ORDER BY at, id OFFSET 4000 LIMIT 1`);
    return JSON.stringify(returnedRows(rows, z.unknown()));
  };
  try {
    while ((await vacuumMostChanged(db)) !== null);
    await db.execute(sql`
      INSERT INTO audit_log (at, action, details)
      SELECT now() + i * interval '1 second', 'user.sign_in', '{}' FROM generate_series(1, 5000) i`);
    // The store counts changes up to a second later.
    await until(async () => (await vacuumMostChanged(db)) === 'audit_log');
    assert.match(await plan(), /Heap Fetches: 0\b/);
    assert.equal(await vacuumMostChanged(db), null);
  } finally {
    await close();
  }
});

test('a table of large rows is vacuumed after fewer changes', async () => {
  const { db, close } = await openEmbeddedTestStore();
  try {
    await db.execute(sql`CREATE TABLE large (bytes text)`);
    await db.execute(sql`ALTER TABLE large ALTER bytes SET STORAGE EXTERNAL`);
    while ((await vacuumMostChanged(db)) !== null);
    await db.execute(sql`INSERT INTO large SELECT repeat('x', 400000) FROM generate_series(1, 50)`);
    // Beyond the second in which the store may not have counted the change.
    await db.execute(sql`SELECT pg_stat_force_next_flush()`);
    await db.execute(sql`SELECT 1`);
    assert.equal(await vacuumMostChanged(db), null);
    await db.execute(sql`INSERT INTO large SELECT repeat('x', 400000) FROM generate_series(1, 50)`);
    await until(async () => (await vacuumMostChanged(db)) === 'large');
    assert.equal(await vacuumMostChanged(db), null);
  } finally {
    await close();
  }
});
