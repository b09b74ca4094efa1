import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Database } from '../store/db.ts';
import { returnedRows } from '../store/returned-rows.ts';
import { storeRun } from '../testing/store-run.ts';
import { describeOnEveryStore } from '../testing/test-store.ts';
import { beatNode } from './nodes/node-store.ts';
import { claimRuns } from './run-claim-store.ts';

describeOnEveryStore('commits without a wait for the disk', (store) => {
  const waits = async (db: Database): Promise<string | undefined> => {
    const found = await db.execute(sql`SHOW synchronous_commit`);
    return returnedRows(found, z.object({ synchronous_commit: z.string() }))[0]?.synchronous_commit;
  };
  const afterwards = async (work: (tx: Database) => Promise<unknown>): Promise<readonly unknown[]> => {
    const inside = await store().db.transaction(async (tx) => {
      await work(tx);
      return await waits(tx);
    });
    return [inside, await waits(store().db)];
  };

  test('the report of a server does not wait, later commits of its connection do', async () => {
    const load = { slots: 1, busy: 0, isDraining: false, models: [] };
    const found = await afterwards((tx) => beatNode(tx, { id: 'node', url: null, load }));
    assert.deepEqual(found, ['off', 'on']);
  });

  test('a claim of runs does not wait, a claim of none changes nothing', async () => {
    const claim = { limit: 1, lease: { owner: 'node', ms: 30_000 }, now: new Date(), queues: null, random: 0 };
    assert.deepEqual(await afterwards((tx) => claimRuns(tx, claim)), ['on', 'on']);
    await storeRun(store().db, new Date());
    assert.deepEqual(await afterwards((tx) => claimRuns(tx, claim)), ['off', 'on']);
  });
});
