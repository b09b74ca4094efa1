import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { sql } from 'drizzle-orm';
import { storeRun } from '../testing/store-run.ts';
import { describeOnEveryStore } from '../testing/test-store.ts';
import { readBacklogs } from './run-backlog-store.ts';

describeOnEveryStore('the backlog', (store) => {
  beforeEach(async () => {
    await store().db.execute(sql`TRUNCATE runs, run_sums CASCADE`);
  });

  test('counts runs without a lease, and the time they take at the mean of a day', async () => {
    const { db } = store();
    const minuteAgo = new Date(Date.now() - 60_000);
    await storeRun(db, minuteAgo, { pipelineId: 'a' });
    await storeRun(db, new Date(), { pipelineId: 'a' });
    await storeRun(db, new Date(), { pipelineId: 'b' });
    await storeRun(db, minuteAgo, { pipelineId: 'b', lease: { owner: 'x', ms: 1_000 } });
    await db.execute(
      sql`INSERT INTO run_sums SELECT id, date_trunc('hour', now()), 'a', '', 4, 4, 0, 16000 FROM projects LIMIT 1`,
    );
    await db.execute(
      sql`INSERT INTO run_sums SELECT id, now() - interval '2 days', 'a', '', 1, 1, 0, 900000 FROM projects LIMIT 1`,
    );
    const [a, b, ...others] = await readBacklogs(db, ['b']);
    assert.deepEqual([a?.pipelineId, a?.runs, a?.computeSeconds], ['a', 2, 8]);
    assert.ok(Math.abs((a?.oldestSeconds ?? 0) - 60) < 30, String(a?.oldestSeconds));
    assert.deepEqual([b?.pipelineId, b?.runs, b?.computeSeconds], ['b', 1, 10]);
    assert.equal(others.length, 0);
  });

  test('is zero for the pipelines of a server where nothing waits', async () => {
    const idle = { pipelineId: 'a', runs: 0, oldestSeconds: 0, computeSeconds: 0 };
    assert.deepEqual(await readBacklogs(store().db, ['a']), [idle]);
  });
});
