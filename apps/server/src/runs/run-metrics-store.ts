/** Counts of a project's runs by time of creation; runtimes are those of complete runs. */
import {
  type HardwareMetricsGet,
  type PipelineMetricsGet,
  type RunMetricsBucket,
  type RunMetricsGet,
  type TotalComputeGet,
  toTimestamp,
} from '@gptj-cloud/protocol';
import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Database } from '../store/db.ts';
import { returnedRows } from '../store/returned-rows.ts';
import { runSums, runs } from './run-tables.ts';
import { equalBounds, HOUR_MS, hourlyBounds, partsOf, splitHours, type TimePart } from './time-parts.ts';

export interface MetricsQuery {
  readonly projectId: string;
  readonly pipelineId: string | null;
  readonly start: Date;
  /** After `start`. */
  readonly end: Date;
}

interface Counts {
  readonly runs: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly computeMs: number;
}

const NO_RUNS: Counts = { runs: 0, succeeded: 0, failed: 0, computeMs: 0 };

/** Runs of the hours inside of which buckets begin or end: reading more takes longer than a tenth of a second. */
const MAX_READ_RUNS = 20_000;

/** Counts for `bucketCount` parts of the span, for the whole span, and for the span of equal length before it. */
export async function runMetrics(db: Database, query: MetricsQuery, bucketCount: number): Promise<RunMetricsGet> {
  const { start, end } = query;
  const bounds = await boundsOf(db, query, bucketCount);
  const preceding = before(query);
  const parts = [...partsOf(bounds), ...partsOf([preceding.start, preceding.end], bucketCount)];
  const counted = new Map(
    (await countRuns(db, query, parts, BUCKET)).map(({ key, ...counts }) => [Number(key), counts]),
  );
  const at = (index: number): Date => bounds[index] ?? end;
  const inBucket = (index: number): Counts => counted.get(index) ?? NO_RUNS;
  const buckets = Array.from({ length: bucketCount }, (_, index) => index);
  return {
    start: toTimestamp(start),
    end: toTimestamp(end),
    bucket_count: bucketCount,
    metrics_buckets: buckets.map((index) => toBucket(at(index), at(index + 1), inBucket(index))),
    overall_bucket: toBucket(start, end, buckets.map(inBucket).reduce(add, NO_RUNS)),
    preceding_bucket: toBucket(preceding.start, preceding.end, inBucket(bucketCount)),
  };
}

/** Equal parts; of long buckets with many runs, to the nearest hour, so that hours need not be read run by run. */
async function boundsOf(db: Database, query: MetricsQuery, bucketCount: number): Promise<readonly Date[]> {
  const { start, end } = query;
  const bounds = equalBounds(start, end, bucketCount);
  if (end.getTime() - start.getTime() < bucketCount * HOUR_MS) return bounds;
  const [split] = await countRuns(db, query, splitHours(bounds), BUCKET);
  return (split?.runs ?? 0) > MAX_READ_RUNS ? hourlyBounds(bounds) : bounds;
}

/** Counts for each pipeline, the one with the most runs first. */
export async function pipelineMetrics(
  db: Database,
  query: MetricsQuery,
  nameOf: (pipelineId: string) => string,
): Promise<PipelineMetricsGet> {
  const rows = await countRuns(db, query, partsOf([query.start, query.end]), sql`counted.pipeline_id`);
  return rows
    .toSorted((a, b) => b.runs - a.runs)
    .map(({ key, ...counts }) => ({
      ...toBucket(query.start, query.end, counts),
      pipeline_id: key,
      pipeline_name: nameOf(key),
    }));
}

/** Sums, and their change against the span of equal length before. */
export async function totalCompute(db: Database, query: MetricsQuery): Promise<TotalComputeGet> {
  const parts = partsOf([before(query).start, query.start, query.end]);
  const rows = await countRuns(db, query, parts, BUCKET);
  const ofSpan = (index: number): Counts => rows.find(({ key }) => Number(key) === index) ?? NO_RUNS;
  const [then, now] = [ofSpan(0), ofSpan(1)];
  const change = (of: keyof Counts): number | null => (then[of] === 0 ? null : now[of] / then[of] - 1);
  return {
    run_count: now.runs,
    failed_run_count: now.failed,
    succeeded_run_count: now.succeeded,
    total_compute_ms: now.computeMs,
    run_count_rate: change('runs'),
    failed_run_count_rate: change('failed'),
    succeeded_run_count_rate: change('succeeded'),
    total_compute_ms_rate: change('computeMs'),
  };
}

export async function hardwareMetrics(db: Database, query: MetricsQuery): Promise<HardwareMetricsGet> {
  const parts = partsOf([query.start, query.end]);
  const rows = (await countRuns(db, query, parts, sql`counted.resource_type`))
    .filter(({ key }) => key !== '')
    .toSorted((a, b) => b.computeMs - a.computeMs);
  const total = rows.reduce((sum, row) => sum + row.computeMs, 0);
  return rows.map((row) => ({
    resource_type: row.key,
    total_percentage: total === 0 ? 0 : (100 * row.computeMs) / total,
    run_count: row.runs,
    average_runtime: row.succeeded === 0 ? null : row.computeMs / row.succeeded,
  }));
}

const BUCKET = sql`part.bucket`;
const countsSchema = z.object({
  key: z.coerce.string(),
  runs: z.coerce.number(),
  succeeded: z.coerce.number(),
  failed: z.coerce.number(),
  computeMs: z.coerce.number(),
});

/**
 * Counts of the runs of parts of time, by a key. Whole hours are read from the sums of ended runs, with the open runs of
 * the same time; other parts are read run by run.
 *
 * @param key of `part` and `counted`
 */
async function countRuns(
  db: Database,
  { projectId, pipelineId }: MetricsQuery,
  parts: readonly TimePart[],
  key: SQL,
): Promise<readonly (Counts & { readonly key: string })[]> {
  const ofPipeline = pipelineId === null ? sql`` : sql`AND pipeline_id = ${pipelineId}`;
  const rows = await db.execute(sql`
    SELECT ${key} AS key, sum(counted.runs) AS runs, sum(counted.succeeded) AS succeeded, sum(counted.failed) AS failed,
      sum(counted.compute_ms) AS "computeMs"
    FROM jsonb_to_recordset(${JSON.stringify(parts)}::text::jsonb) AS part (
      bucket integer, since timestamptz, before timestamptz, "isWhole" boolean)
    CROSS JOIN LATERAL (
      SELECT pipeline_id, resource_type, runs, succeeded, failed, compute_ms
      FROM ${runSums}
      WHERE part."isWhole" AND project_id = ${projectId} AND hour >= part.since AND hour < part.before ${ofPipeline}
      UNION ALL
      SELECT pipeline_id, coalesce(resource_type, ''), 1, 0, 0, 0
      FROM ${runs}
      WHERE part."isWhole" AND project_id = ${projectId} AND ended_at IS NULL
        AND created_at >= part.since AND created_at < part.before ${ofPipeline}
      UNION ALL
      SELECT pipeline_id, coalesce(resource_type, ''), 1, (state = 'complete')::integer, (state = 'failed')::integer,
        coalesce(compute_time_ms, 0)
      FROM ${runs}
      WHERE NOT part."isWhole" AND project_id = ${projectId}
        AND created_at >= part.since AND created_at < part.before ${ofPipeline}
    ) AS counted
    GROUP BY 1`);
  return returnedRows(rows, countsSchema);
}

function before(query: MetricsQuery): MetricsQuery {
  const { start, end } = query;
  return { ...query, start: new Date(2 * start.getTime() - end.getTime()), end: start };
}

function add(a: Counts, b: Counts): Counts {
  return {
    runs: a.runs + b.runs,
    succeeded: a.succeeded + b.succeeded,
    failed: a.failed + b.failed,
    computeMs: a.computeMs + b.computeMs,
  };
}

function toBucket(start: Date, end: Date, { runs: total, succeeded, failed, computeMs }: Counts): RunMetricsBucket {
  return {
    start: toTimestamp(start),
    end: toTimestamp(end),
    run_count: total,
    success_rate: succeeded + failed === 0 ? null : succeeded / (succeeded + failed),
    average_runtime: succeeded === 0 ? null : computeMs / succeeded,
    total_runtime: computeMs,
  };
}
