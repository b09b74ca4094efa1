import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { CAPABILITIES } from '@gptj-cloud/engine';
import { newId } from '@gptj-cloud/protocol';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { DEFAULT_PROJECT_ID } from '../identity/users/first-user.ts';
import { insertProject, insertUser } from '../identity/users/user-store.ts';
import type { Database, Store } from '../store/db.ts';
import { returnedRows } from '../store/returned-rows.ts';
import { storeRun } from '../testing/store-run.ts';
import { describeOnEveryStore } from '../testing/test-store.ts';
import { changeNodePrefixes } from './nodes/node-prefix-store.ts';
import { beatNode, endExpiredLeases } from './nodes/node-store.ts';
import { nodes } from './nodes/node-tables.ts';
import {
  type ClaimAffinity,
  claimRuns,
  claimRunsOf,
  findWaitingPipelines,
  findWaitingQueues,
  queuesOf,
  splitQueue,
} from './run-claim-store.ts';
import type { NewRun } from './run-store.ts';
import { runs } from './run-tables.ts';

const at = (seconds: number): Date => new Date(seconds * 1000);

/** A project of a new account. */
async function newProject(db: Database): Promise<string> {
  const name = newId('user').slice(-12);
  const wanted = { email: `${name}@example.com`, username: name, passwordHash: null, planId: 'p', verifiedAt: null };
  const { id } = await insertUser(db, wanted, at(0));
  return await insertProject(db, id, 'queue', at(0));
}

describeOnEveryStore('the queue of runs', (open: () => Store) => {
  const db = (): Database => open().db;
  beforeEach(() => db().delete(runs));

  const stored = async (second: number, columns: Partial<NewRun> = {}): Promise<string> =>
    (await storeRun(db(), at(second), columns)) ?? 'refused';
  const claim = async (
    limit: number,
    options: {
      readonly owner?: string;
      readonly queues?: readonly string[];
      readonly random?: number;
      readonly affinity?: ClaimAffinity;
    } = {},
  ): Promise<readonly string[]> => {
    const { owner = 'a', queues = null, random = 0, ...affinity } = options;
    const lease = { owner, ms: 30_000 };
    return (await claimRuns(db(), { limit, lease, now: at(100), queues, random, ...affinity })).map(({ id }) => id);
  };

  test('a run is claimed once, also by claims at the same time', async () => {
    const ids: string[] = [];
    for (let second = 1; second <= 8; second++) ids.push(await stored(second));
    const claims = await Promise.all(Array.from({ length: 4 }, (_, i) => claim(2, { owner: `owner ${i}` })));
    assert.deepEqual(claims.flat().sort(), ids.sort());
    assert.deepEqual(await claim(1), []);
  });

  test('higher priorities are claimed first, whatever the accounts', async () => {
    const other = await newProject(db());
    const low = await stored(1, { projectId: other });
    const high = [await stored(2, { priority: 5 }), await stored(3, { priority: 5 })];
    assert.deepEqual(await claim(2), high);
    assert.deepEqual(await claim(2), [low]);
  });

  test('of a priority the account with the fewest runs under way is next, and its oldest run', async () => {
    const few = await newProject(db());
    const many: string[] = [];
    for (let second = 1; second <= 6; second++) many.push(await stored(second));
    assert.deepEqual(await claim(2), many.slice(0, 2));
    const three = [await stored(11, { projectId: few }), await stored(12, { projectId: few })];
    assert.deepEqual(await claim(2), three);
    three.push(await stored(13, { projectId: few }));
    assert.deepEqual(new Set(await claim(2)), new Set([many[2], three[2]]));
  });

  test('an account whose id sorts anywhere gets its turn, wherever the search begins', async () => {
    for (const random of [0, 0.3, 0.99]) {
      await db().delete(runs);
      const ids: string[] = [];
      for (let i = 0; i < 4; i++) ids.push(await stored(50 - i, { projectId: await newProject(db()) }));
      for (let i = 0; i < 4; i++) await stored(60 + i, { projectId: DEFAULT_PROJECT_ID });
      const first = await claim(5, { random });
      assert.deepEqual(first.filter((id) => ids.includes(id)).sort(), [...ids].sort());
    }
  });

  test('only runs of the pipelines of a process are claimed by it', async () => {
    const [q, r] = [await stored(1, { pipelineId: 'q' }), await stored(2, { pipelineId: 'r' })];
    assert.deepEqual(await claim(5, { queues: ['p'] }), []);
    assert.deepEqual(await claim(5, { queues: ['r', 's'] }), [r]);
    assert.deepEqual(await claim(5), [q]);
  });

  test('a run that needs a capability is left to processes that have it', async () => {
    const own = await stored(1, { pipelineId: 'p', needs: 'own' });
    const [same, plain] = [
      await stored(2, { pipelineId: 'p', needs: 'deterministic' }),
      await stored(3, { pipelineId: 'p' }),
    ];
    assert.deepEqual(await claim(5, { queues: queuesOf(['p'], []) }), [plain]);
    assert.deepEqual(await claim(5, { queues: queuesOf(['p'], ['deterministic', 'logprobs']) }), [same]);
    assert.deepEqual((await findWaitingQueues(db())).map(splitQueue), [{ pipelineId: 'p', capability: 'own' }]);
    assert.deepEqual(await findWaitingPipelines(db()), ['p']);
    assert.deepEqual(await claim(5, { queues: queuesOf(['p'], CAPABILITIES) }), [own]);
  });

  test('runs that callers wait for are claimed by their ids', async () => {
    const [first, second] = [await stored(1), await stored(2)];
    const lease = { owner: 'a', ms: 30_000 };
    const claimed = await claimRunsOf(db(), { limit: 5, lease, now: at(9) }, [second, 'run_x']);
    assert.deepEqual(
      claimed.map(({ id }) => id),
      [second],
    );
    assert.deepEqual(await claim(5), [first]);
  });

  test('a lease holds while its owner reports and for its own time, and ends after both', async () => {
    await beatNode(db(), {
      id: 'alive',
      url: null,
      load: { slots: 1, busy: 0, isDraining: false, models: [] },
    });
    const young = await stored(1, { lease: { owner: 'gone', ms: 30_000 } });
    const ofAlive = await stored(2, { lease: { owner: 'alive', ms: -1 } });
    const old = await stored(3, { lease: { owner: 'gone', ms: -1 } });
    assert.equal(await endExpiredLeases(db(), 30_000), 1);
    assert.deepEqual(await claim(5), [old]);
    await db().execute(sql`UPDATE nodes SET beat_at = now() - interval '1 minute'`);
    assert.equal(await endExpiredLeases(db(), 30_000), 1);
    assert.deepEqual(await claim(5), [ofAlive]);
    assert.notEqual(young, old);
  });

  /** A node that has beginnings of prompts in its cache. */
  const holder = async (id: string, added: readonly string[], isDraining = false): Promise<void> => {
    await beatNode(db(), { id, url: null, load: { slots: 1, busy: 0, isDraining, models: [] } });
    await changeNodePrefixes(db(), id, { added, removed: [] });
  };
  /** Later than now by the store's clock. */
  const young = () => Math.floor(Date.now() / 1000) + 600;

  test('a new run is left for a moment to a living process that has the beginning of its prompt, no other run is', async () => {
    await db().delete(nodes);
    await holder('holder', ['7', '-8']);
    let left = 0;
    const affinity = { onLeft: () => left++ };
    const [ofHolder, ofNone] = [
      await stored(young(), { prefixHashes: ['1', '-8'] }),
      await stored(young(), { prefixHashes: ['1'] }),
    ];
    const short = await stored(young());
    assert.deepEqual(new Set(await claim(3, { owner: 'stranger', affinity })), new Set([ofNone, short]));
    assert.equal(left, 1);
    assert.deepEqual(await claim(3, { owner: 'stranger', affinity }), []);
    assert.deepEqual(await claim(1, { owner: 'holder', affinity }), [ofHolder]);
    assert.equal(left, 2);
    const old = await stored(1, { prefixHashes: ['7'] });
    assert.deepEqual(await claim(1, { owner: 'stranger', affinity }), [old]);
    const off = await stored(young(), { prefixHashes: ['7'] });
    assert.deepEqual(await claim(1, { owner: 'stranger' }), [off]);
  });

  test('a run is not left to a process that ended or drains', async () => {
    await db().delete(nodes);
    await holder('ended', ['7']);
    await db().execute(sql`UPDATE nodes SET beat_at = now() - interval '1 minute'`);
    await holder('draining', ['7'], true);
    const run = await stored(young(), { prefixHashes: ['7'] });
    assert.deepEqual(await claim(1, { owner: 'stranger', affinity: { onLeft() {} } }), [run]);
  });

  test('of an account the runs that the process has the beginning of are first, before others up to 5 s older', async () => {
    await db().delete(nodes);
    await holder('holder', ['7']);
    const options = { owner: 'holder', affinity: { onLeft() {} } };
    const first = [await stored(1), await stored(2, { prefixHashes: ['9'] })];
    const [soon, late] = [await stored(4, { prefixHashes: ['7'] }), await stored(20, { prefixHashes: ['7'] })];
    const other = await stored(30, { projectId: await newProject(db()) });
    const urgent = await stored(40, { priority: 1 });
    const order: string[] = [];
    for (let i = 0; i < 6; i++) order.push(...(await claim(1, options)));
    // The accounts take turns as without it.
    assert.deepEqual(order, [urgent, other, soon, ...first, late]);
  });

  test('a claim passes the index entries of runs that have left the queue once', async () => {
    await stored(1, { pipelineId: 'p' });
    const waiting = 3_000;
    await db().execute(sql`
      INSERT INTO runs (id, project_id, pipeline_id, data_id, state, created_at, account_id)
      SELECT 'run_' || lpad(i::text, 32, '0'), project_id, pipeline_id, data_id, 'received', created_at + i * interval '1 ms', account_id
      FROM runs, generate_series(1, ${waiting}::int) i`);
    await claim(2_000);
    const pages = async (): Promise<number> => {
      await db().execute(sql`SELECT pg_stat_force_next_flush()`);
      const found = await db().execute(
        sql`SELECT idx_blks_hit + idx_blks_read AS pages FROM pg_statio_user_indexes WHERE indexrelname = 'runs_queued'`,
      );
      return returnedRows(found, z.object({ pages: z.coerce.number() }))[0]?.pages ?? 0;
    };
    const size = await db().execute(sql`SELECT pg_relation_size('runs_queued') / 8192 AS pages`);
    const indexPages = returnedRows(size, z.object({ pages: z.coerce.number() }))[0]?.pages ?? 0;
    const before = await pages();
    assert.equal((await claim(1, { queues: ['p'] })).length, 1);
    const passed = (await pages()) - before;
    assert.ok(passed < 2 * indexPages, `expected fewer than twice the ${indexPages} pages of the index, got ${passed}`);
  });

  test('an account with many waiting runs delays the ten of another by two run times at most', async () => {
    const slots = 8;
    const few = await newProject(db());
    await stored(1);
    // As one statement: thousands of waiting runs of one account.
    await db().execute(sql`
      INSERT INTO runs SELECT (jsonb_populate_record(r, jsonb_build_object('id', 'run_' || lpad(to_hex(i), 32, '0'),
        'created_at', r.created_at + i * interval '1 ms'))).* FROM runs r CROSS JOIN generate_series(1, 5000) i`);
    const running: string[][] = [[...(await claim(slots))]];
    const ten: string[] = [];
    for (let i = 0; i < 10; i++) ten.push(await stored(50 + i, { projectId: few }));
    // Each round is one run time: the running ones end, their slots are claimed one after the other.
    const startOf = (id: string): number => running.findIndex((round) => round.includes(id));
    while (ten.some((id) => startOf(id) < 0)) {
      const before = running.at(-1) ?? [];
      const round: string[] = [];
      for (const id of before) {
        await db().delete(runs).where(sql`id = ${id}`);
        round.push(...(await claim(1)));
      }
      running.push(round);
      assert.ok(running.length < 10);
    }
    // Alone, the last of them would begin after one run time.
    assert.ok(Math.max(...ten.map(startOf)) <= 1 + 2, String(ten.map(startOf)));
  });
});
