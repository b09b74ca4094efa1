/**
 * The protocol of leases under every order of events that a random scheduler finds: three processes claim, report, end and sweep; they
 * are held up, die and come back, and their clocks are wrong. Time passes by moving what the store has recorded into the past.
 */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { DEFAULT_PROJECT_ID } from '../identity/users/first-user.ts';
import { returnedRows } from '../store/returned-rows.ts';
import { storeRun } from '../testing/store-run.ts';
import { describeOnEveryStore } from '../testing/test-store.ts';
import { beatNode, endExpiredLeases } from './nodes/node-store.ts';
import { RUN_CONTENTS } from './project-contents-store.ts';
import { claimRuns } from './run-claim-store.ts';
import { putBack } from './run-lease-store.ts';
import { endRuns } from './run-store.ts';
import type { RunTries } from './run-tries.ts';

const LEASE_MS = 30_000;
const LOAD = { slots: 3, busy: 0, isDraining: false, models: [] };
const RUNS = 30;
const STEPS = 120;
const SEEDS = [1, 2, 3, 4, 5, 6];

interface Process {
  readonly number: number;
  /** Another one after each death. */
  owner: string;
  isHeldUp: boolean;
  clockMs: number;
  /** Executions, which a process that lost a lease does not know to be void. */
  readonly held: Map<string, RunTries>;
}

/** Mulberry32. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

describeOnEveryStore('the protocol of leases', (store) => {
  beforeEach(async () => {
    await RUN_CONTENTS.deleteInProjects(store().db, [DEFAULT_PROJECT_ID]);
    await store().db.execute(sql`DELETE FROM nodes`);
  });

  const pass = async (ms: number): Promise<void> => {
    const span = sql`${ms} * interval '1 ms'`;
    await store().db.execute(sql`UPDATE nodes SET beat_at = beat_at - ${span}`);
    await store().db.execute(
      sql`UPDATE runs SET lease_expires_at = lease_expires_at - ${span} WHERE lease_owner IS NOT NULL`,
    );
  };

  /** Seeds in which a process ended a run whose lease it had lost. */
  const refused = new Set<number>();

  for (const seed of SEEDS) {
    test(`loses no run and ends none twice (seed ${seed})`, async () => {
      const { db } = store();
      const random = randomFrom(seed);
      const ends = new Map<string, number>();
      let counted = 0;
      for (let i = 0; i < RUNS; i++) await storeRun(db, new Date(), { priority: i % 2 });
      const processes = [0, 1, 2].map(
        (number): Process => ({ number, owner: `${number}-0`, isHeldUp: false, clockMs: 0, held: new Map() }),
      );

      const claim = async ({ owner, clockMs, held }: Process, limit: number): Promise<void> => {
        const lease = { owner, ms: LEASE_MS };
        const now = new Date(Date.now() + clockMs);
        for (const run of await claimRuns(db, { limit, lease, now, queues: null, random: 0 }))
          held.set(run.id, run.tries);
      };
      const end = async ({ owner, clockMs, held }: Process): Promise<void> => {
        const [runId] = [...held.keys()];
        if (runId === undefined) return;
        held.delete(runId);
        const ended = await endRuns(db, [
          {
            ender: { runId, projectId: DEFAULT_PROJECT_ID, owner, endedAt: new Date(Date.now() + clockMs) },
            cost: { promptTokens: 1, generatedTokens: 1, computedTokens: 2, computeMs: 5 },
            execution: { attempts: 1, waits: null },
            end: { failure: { error: 'pipeline_fault', exception: 'x', traceback: 'x' } },
          },
        ]);
        counted += ended.counted.length;
        if (ended.stored[0] === true) ends.set(runId, (ends.get(runId) ?? 0) + 1);
        else refused.add(seed);
      };
      const giveBack = async ({ owner, held }: Process): Promise<void> => {
        const [first] = held;
        if (first === undefined) return;
        held.delete(first[0]);
        await putBack(db, first[0], owner, first[1]);
      };
      const actions: readonly ((process: Process) => Promise<void>)[] = [
        (process) => claim(process, 1 + random(3)),
        async ({ owner }) => void (await beatNode(db, { id: owner, url: null, load: LOAD })),
        async ({ owner }) => void (await beatNode(db, { id: owner, url: null, load: LOAD })),
        end,
        giveBack,
        async () => void (await endExpiredLeases(db, LEASE_MS)),
        async (process) => {
          process.clockMs = (random(3) - 1) * 600_000;
        },
      ];
      for (let step = 0; step < STEPS; step++) {
        const process = processes[random(3)];
        assert.ok(process !== undefined);
        const luck = random(12);
        if (luck === 0) {
          process.held.clear();
          process.owner = `${process.number}-${step}`;
        } else if (luck === 1) process.isHeldUp = !process.isHeldUp;
        else if (luck < 4) await pass(random(60_000));
        else if (!process.isHeldUp) await actions[random(actions.length)]?.(process);
      }
      // Those that were held up come back with what they had; then one process does the rest.
      for (const process of processes) while (process.held.size > 0) await end(process);
      const last: Process = { number: 3, owner: 'last', isHeldUp: false, clockMs: 0, held: new Map() };
      await pass(2 * LEASE_MS);
      await endExpiredLeases(db, LEASE_MS);
      await claim(last, RUNS);
      while (last.held.size > 0) await end(last);

      const rows = returnedRows(
        await db.execute(sql`SELECT id, ended_at IS NOT NULL AND lease_owner IS NULL AS over FROM runs`),
        z.object({ id: z.string(), over: z.boolean() }),
      );
      assert.deepEqual(
        rows.map(({ id, over }) => [over, ends.get(id)]),
        rows.map(() => [true, 1]),
      );
      assert.equal(rows.length, RUNS);
      assert.equal(counted, RUNS);
    });
  }

  test('the seeds have ends of processes that had lost their leases', () => {
    assert.ok(refused.size > 2, [...refused].join());
  });
});
