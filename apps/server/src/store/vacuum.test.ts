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
