import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { newId } from '@gptj-cloud/protocol';
import { inArray, isNotNull, isNull, type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { DEFAULT_PROJECT_ID } from '../identity/users/first-user.ts';
import type { Database } from '../store/db.ts';
import { returnedRows } from '../store/returned-rows.ts';
import { storeRun } from '../testing/store-run.ts';
import { describeOnEveryStore } from '../testing/test-store.ts';

import { RUN_CONTENTS } from './project-contents-store.ts';
import type { RunEnding } from './run-end.ts';
import { hardwareMetrics, type MetricsQuery, pipelineMetrics, runMetrics, totalCompute } from './run-metrics-store.ts';
import { removeOldData, removeOldRuns } from './run-retention-store.ts';
import { deleteRun, endRuns, findRuns } from './run-store.ts';
import { runSums, runs } from './run-tables.ts';

const PROJECT = DEFAULT_PROJECT_ID;
const START = Date.parse('2026-03-01T00:00:00Z');
const HOUR_MS = 3_600_000;
const atHour = (hours: number): Date => new Date(START + hours * HOUR_MS);

const rowSchema = z.object({
  ms: z.coerce.number(),
  state: z.string(),
  compute: z.coerce.number(),
  pipeline: z.string(),
  resource: z.string().nullable(),
});
type Row = z.infer<typeof rowSchema>;

/** Every run of the project, read one by one. */
async function readRows(db: Database): Promise<readonly Row[]> {
  const rows = await db.execute(sql`
    SELECT extract(epoch FROM created_at) * 1000 AS ms, state, coalesce(compute_time_ms, 0) AS compute,
      pipeline_id AS pipeline, resource_type AS resource FROM runs WHERE project_id = ${PROJECT}`);
  return returnedRows(rows, rowSchema);
}

const countsOf = (rows: readonly Row[]) => {
  const succeeded = rows.filter(({ state }) => state === 'complete').length;
  const ended = succeeded + rows.filter(({ state }) => state === 'failed').length;
  const compute = rows.reduce((sum, row) => sum + row.compute, 0);
  return {
    run_count: rows.length,
    success_rate: ended === 0 ? null : succeeded / ended,
    average_runtime: succeeded === 0 ? null : compute / succeeded,
    total_runtime: compute,
  };
};

/** Runs of two pipelines over 40 hours: at bounds of hours too, of unknown resources, open, complete and failed ones. */
const fillOf = (first: number, last: number) => sql`
  WITH made AS (
    SELECT i, timestamptz '2026-03-01T00:00:00Z' + CASE WHEN i % 10 = 0 THEN i % 40 * interval '1 hour'
      ELSE i * 7919 % 144000 * interval '1 second' + i % 1000 * interval '1 millisecond' END AS at, i % 7 AS kind
    FROM generate_series(${first}::integer, ${last}::integer) i
  ), made_files AS (
    INSERT INTO files (id, name, path, bytes, size_bytes, is_stored, created_at, project_id)
    SELECT 'file_' || md5(i::text), 'd', 'p' || i, '\\x00', 1, true, at, ${PROJECT} FROM made
  ), made_data AS (
    INSERT INTO data (id, file_id, created_at, project_id)
    SELECT 'data_' || md5(i::text), 'file_' || md5(i::text), at, ${PROJECT} FROM made
  )
  INSERT INTO runs (id, project_id, pipeline_id, data_id, state, created_at, started_at, ended_at, compute_time_ms, resource_type,
    result_file_id, error, error_exception, error_traceback)
  SELECT 'run_' || md5(i::text), ${PROJECT}, CASE WHEN i % 3 = 0 THEN 'p' ELSE 'q' END, 'data_' || md5(i::text),
    CASE WHEN kind = 0 THEN 'received' WHEN kind < 3 THEN 'failed' ELSE 'complete' END, at, at,
    CASE WHEN kind > 0 THEN at END, CASE WHEN kind > 1 THEN i END, CASE WHEN kind = 5 THEN NULL WHEN kind > 3 THEN 'cpu' ELSE 'gpu' END,
    CASE WHEN kind > 2 THEN 'file_' || md5(i::text) END, CASE WHEN kind IN (1, 2) THEN 'pipeline_fault' END,
    CASE WHEN kind IN (1, 2) THEN 'x' END, CASE WHEN kind IN (1, 2) THEN 'x' END
  FROM made`;
const FILL = fillOf(1, 400);

/** Mulberry32. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return Math.floor((((bits ^ (bits >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

const failed = (runId: string, projectId: string, hours: number): RunEnding => ({
  ender: { runId, projectId, owner: null, endedAt: atHour(hours) },
  cost: { promptTokens: 1, generatedTokens: 1, computedTokens: 2, computeMs: 5 },
  execution: { attempts: 1, waits: null },
  end: { failure: { error: 'pipeline_fault', exception: 'x', traceback: 'x' } },
});

describeOnEveryStore('metrics of runs', (store) => {
  beforeEach(() => RUN_CONTENTS.deleteInProjects(store().db, [PROJECT]));

  /** The sums are those of the ended runs, and none is left of hours without any. */
  const checkSums = async (): Promise<number> => {
    const wrong = await store().db.execute(sql`
      WITH wanted AS (
        SELECT project_id, date_trunc('hour', created_at, 'UTC') AS hour, pipeline_id, coalesce(resource_type, '') AS resource_type,
          count(*)::integer AS runs, (count(*) FILTER (WHERE state = 'complete'))::integer AS succeeded,
          (count(*) FILTER (WHERE state = 'failed'))::integer AS failed, coalesce(sum(compute_time_ms), 0)::bigint AS compute_ms
        FROM runs WHERE ended_at IS NOT NULL GROUP BY 1, 2, 3, 4)
      (TABLE wanted EXCEPT TABLE run_sums) UNION ALL (TABLE run_sums EXCEPT TABLE wanted)`);
    assert.deepEqual(returnedRows(wrong, z.unknown()), []);
    return await store().db.$count(runSums);
  };

  test('counts by sums equal those of the runs, for any span and number of buckets', async () => {
    await store().db.execute(FILL);
    const rows = await readRows(store().db);
    assert.equal(rows.length, 400);
    for (const [from, to] of [
      [0, 40],
      [0.3, 39.7],
      [5, 6],
      [5.2, 5.9],
      [20, 100],
      [-10, 41],
      [1.5, 2.5],
    ] as const) {
      for (const pipelineId of [null, 'p', 'none']) {
        const query: MetricsQuery = { projectId: PROJECT, pipelineId, start: atHour(from), end: atHour(to) };
        const ofPipeline = rows.filter(({ pipeline }) => pipelineId === null || pipeline === pipelineId);
        const between = (since: Date, before: Date) =>
          ofPipeline.filter(({ ms }) => ms >= since.getTime() && ms < before.getTime());
        for (const count of [1, 3, 40, 100]) {
          const reply = await runMetrics(store().db, query, count);
          assert.equal(reply.metrics_buckets.length, count);
          for (const { start, end, ...counts } of reply.metrics_buckets) {
            assert.deepEqual(counts, countsOf(between(new Date(start * 1000), new Date(end * 1000))));
          }
          const { start: _, end: __, ...overall } = reply.overall_bucket;
          assert.deepEqual(overall, countsOf(between(query.start, query.end)));
          const preceding = between(atHour(2 * from - to), query.start);
          assert.equal(reply.preceding_bucket.run_count, preceding.length);
          const compute = await totalCompute(store().db, query);
          assert.equal(compute.run_count, overall.run_count);
          const rate = preceding.length === 0 ? null : overall.run_count / preceding.length - 1;
          assert.equal(compute.run_count_rate, rate);
        }
        const inSpan = between(query.start, query.end);
        const pipelines = await pipelineMetrics(store().db, query, (id) => `name of ${id}`);
        assert.deepEqual(
          pipelines.map((each) => [each.pipeline_id, each.run_count, each.total_runtime]).sort(),
          [...new Set(inSpan.map(({ pipeline }) => pipeline))]
            .map((id) => inSpan.filter(({ pipeline }) => pipeline === id))
            .map((of) => [of[0]?.pipeline, of.length, countsOf(of).total_runtime])
            .sort(),
        );
        const hardware = await hardwareMetrics(store().db, query);
        assert.deepEqual(
          hardware.map((each) => [each.resource_type, each.run_count]).sort(),
          ['cpu', 'gpu']
            .map((type) => [type, inSpan.filter(({ resource }) => resource === type).length] as const)
            .filter(([, total]) => total > 0),
        );
      }
    }
  });

  test('any history leaves the metrics equal to those of the runs, read one by one', async () => {
    const { db } = store();
    const idsOf = async (condition: SQL): Promise<string[]> =>
      (await db.select({ id: runs.id }).from(runs).where(condition).orderBy(runs.id)).map(({ id }) => id);
    for (const seed of [1, 2, 3]) {
      await RUN_CONTENTS.deleteInProjects(db, [PROJECT]);
      const random = randomFrom(seed);
      const some = <Value>(values: readonly Value[], max: number): readonly Value[] => {
        const first = random(Math.max(1, values.length));
        return values.slice(first, first + 1 + random(max));
      };
      let filled = 0;
      const end = async (): Promise<void> => {
        const endings = some(await idsOf(isNull(runs.endedAt)), 8).map((id) => failed(id, PROJECT, random(45)));
        await db.transaction((tx) => endRuns(tx, endings));
      };
      const actions: readonly (() => Promise<unknown>)[] = [
        async () => {
          const first = filled + 1;
          filled += 1 + random(40);
          await db.execute(fillOf(first, filled));
        },
        () => storeRun(db, atHour(random(400) / 10), { pipelineId: random(2) === 0 ? 'p' : 'q' }),
        end,
        end,
        async () => db.delete(runs).where(inArray(runs.id, [...some(await idsOf(isNotNull(runs.endedAt)), 5)])),
        () => removeOldRuns(db, atHour(random(30)), 1 + random(20)),
        // Statements that know nothing of the sums.
        () =>
          db.execute(sql`UPDATE runs SET compute_time_ms = ${random(500)} WHERE id = ANY(
            ARRAY(SELECT id FROM runs WHERE ended_at IS NOT NULL ORDER BY id LIMIT ${1 + random(5)}))`),
        () =>
          db.execute(sql`UPDATE runs SET state = 'failed', ended_at = now(), error = 'max_retries', error_exception = '',
            error_traceback = '', resource_type = NULL
            WHERE id = ANY(ARRAY(SELECT id FROM runs WHERE ended_at IS NULL ORDER BY id LIMIT ${1 + random(5)}))`),
        () =>
          assert.rejects(
            db.transaction(async (tx) => {
              await removeOldRuns(tx, atHour(40), 100);
              throw new Error('rolled back');
            }),
            /rolled back/,
          ),
      ];
      for (let step = 0; step < 40; step++) {
        await actions[step === 0 ? 0 : random(actions.length)]?.();
        const rows = await readRows(db);
        const start = atHour((random(500) - 50) / 10);
        const query = { projectId: PROJECT, pipelineId: null, start, end: atHour(50 + random(10)) };
        const { metrics_buckets: buckets } = await runMetrics(db, query, 1 + random(30));
        for (const { start: since, end: before, ...counts } of buckets) {
          const inBucket = rows.filter(({ ms }) => ms >= since * 1000 && ms < before * 1000);
          assert.deepEqual(counts, countsOf(inBucket), `seed ${seed}, step ${step}`);
        }
      }
      await checkSums();
    }
  });

  test('buckets of an hour and more begin at whole hours where the hours of their bounds have many runs', async () => {
    await store().db.execute(FILL);
    // As if there were more runs than a test can store.
    await store().db.execute(sql`UPDATE run_sums SET runs = runs + 5000`);
    const query: MetricsQuery = { projectId: PROJECT, pipelineId: null, start: atHour(0.5), end: atHour(30.5) };
    const startsOf = async (count: number) =>
      (await runMetrics(store().db, query, count)).metrics_buckets.map(({ start }) => (start * 1000 - START) / HOUR_MS);
    assert.deepEqual(await startsOf(5), [0.5, 7, 13, 19, 25]);
    assert.deepEqual((await startsOf(60)).slice(0, 3), [0.5, 1, 1.5]);
    await store().db.execute(sql`UPDATE run_sums SET runs = runs - 5000`);
    assert.deepEqual(await startsOf(5), [0.5, 6.5, 12.5, 18.5, 24.5]);
  });

  test('the sums are kept by the ends of runs at the same time, deletion, retention and the end of a project', async () => {
    const { db } = store();
    await db.execute(FILL);
    assert.ok((await checkSums()) > 40);
    const open = await db.select({ id: runs.id }).from(runs).where(isNull(runs.endedAt));
    // Batches that lock the same hours, in either order.
    const batches = Array.from({ length: 8 }, (_, at) => open.filter((__, i) => i % 8 === at).map(({ id }) => id));
    await Promise.all(
      batches.map((ids, at) =>
        db.transaction((tx) =>
          endRuns(
            tx,
            (at % 2 === 0 ? ids : ids.toReversed()).map((id) => failed(id, PROJECT, 50)),
          ),
        ),
      ),
    );
    await checkSums();
    const id = (await storeRun(db, atHour(90))) ?? '';
    const before = await checkSums();
    await db.transaction((tx) => endRuns(tx, [failed(id, PROJECT, 91)]));
    // A second end is refused, and counts nothing.
    await db.transaction((tx) => endRuns(tx, [failed(id, PROJECT, 92)]));
    assert.equal(await checkSums(), before + 1);
    const [run] = await findRuns(db, [{ projectId: PROJECT, id }]);
    if (run === null || run === undefined) throw new Error('expected the run');
    await db.transaction((tx) => deleteRun(tx, run));
    assert.equal(await checkSums(), before);
    assert.equal(await removeOldRuns(db, atHour(20), 100), 100);
    await checkSums();
    await RUN_CONTENTS.deleteInProjects(db, [PROJECT]);
    assert.equal(await checkSums(), 0);
  });

  test('the contents of a project are counted as they are', async () => {
    const { db } = store();
    await db.execute(FILL);
    const contents = async () => (await RUN_CONTENTS.countInProjects(db, [PROJECT, 'none'])).get(PROJECT);
    const open = await db.$count(runs, isNull(runs.endedAt));
    assert.deepEqual(await contents(), { runs: 400, openRuns: open, data: 400 });
    await db.transaction(async (tx) => {
      await removeOldRuns(tx, atHour(20), 150);
      await removeOldData(tx, atHour(60), 50);
    });
    assert.deepEqual(await contents(), { runs: 250, openRuns: open, data: 350 });
    assert.deepEqual((await RUN_CONTENTS.countInProjects(db, ['none'])).get('none'), { runs: 0, openRuns: 0, data: 0 });
    await RUN_CONTENTS.deleteInProjects(db, [PROJECT]);
    assert.deepEqual(await contents(), { runs: 0, openRuns: 0, data: 0 });
  });

  test('a transaction that ends a run and fails counts nothing', async () => {
    const { db } = store();
    const id = (await storeRun(db, atHour(1))) ?? '';
    const rollBack = new Error('rolled back');
    await assert.rejects(
      db.transaction(async (tx) => {
        await endRuns(tx, [failed(id, PROJECT, 2)]);
        throw rollBack;
      }),
      rollBack,
    );
    assert.equal(await checkSums(), 0);
    await db.transaction((tx) => endRuns(tx, [failed(id, newId('project'), 2)]));
    assert.equal(await checkSums(), 0);
  });
});
