/** Counts of a project's runs by time of creation; runtimes are those of complete runs. */
import {
  type HardwareMetricsGet,
  type PipelineMetricsGet,
  type RunMetricsBucket,
  type RunMetricsGet,
  type TotalComputeGet,
  toTimestamp,
} from '@gptj-cloud/protocol';
import { and, count, desc, eq, gte, isNotNull, lt, type SQL, sql } from 'drizzle-orm';
import type { Database } from '../store/db.ts';
import { runs } from './run-tables.ts';

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

/** Columns of {@link Counts}. */
const counts = {
  runs: count(),
  succeeded: sql<number>`count(*) FILTER (WHERE ${runs.state} = 'complete')`.mapWith(Number),
  failed: sql<number>`count(*) FILTER (WHERE ${runs.state} = 'failed')`.mapWith(Number),
  computeMs: sql<number>`coalesce(sum(${runs.computeTimeMs}), 0)`.mapWith(Number),
};

/** Counts for `bucketCount` equal parts of the span, for the whole span, and for the span of equal length before it. */
export async function runMetrics(db: Database, query: MetricsQuery, bucketCount: number): Promise<RunMetricsGet> {
  const { start, end } = query;
  const widthMs = (end.getTime() - start.getTime()) / bucketCount;
  // Unlike `extract`, `date_part` computes with floating point, which is several times as fast.
  const sinceStart = sql`date_part('epoch', ${runs.createdAt} - ${start.toISOString()}::timestamptz) * 1000`;
  const bucket = sql<number>`floor(${sinceStart} / ${widthMs}::float8)`.mapWith(Number);
  const rows = await db
    .select({ bucket, ...counts })
    .from(runs)
    .where(during(query))
    // By position: with parameters of its own, the same expression would count as another one.
    .groupBy(sql`1`);
  const byBucket = new Map(rows.map((row) => [Math.min(row.bucket, bucketCount - 1), row]));
  const at = (index: number): Date => new Date(start.getTime() + index * widthMs);
  const preceding = before(query);
  const [precedingCounts] = await db.select(counts).from(runs).where(during(preceding));
  return {
    start: toTimestamp(start),
    end: toTimestamp(end),
    bucket_count: bucketCount,
    metrics_buckets: Array.from({ length: bucketCount }, (_, index) =>
      toBucket(at(index), at(index + 1), byBucket.get(index) ?? NO_RUNS),
    ),
    overall_bucket: toBucket(start, end, rows.reduce(add, NO_RUNS)),
    preceding_bucket: toBucket(preceding.start, preceding.end, precedingCounts ?? NO_RUNS),
  };
}

/** Counts for each pipeline, the one with the most runs first. */
export async function pipelineMetrics(
  db: Database,
  query: MetricsQuery,
  nameOf: (pipelineId: string) => string,
): Promise<PipelineMetricsGet> {
  const rows = await db
    .select({ pipelineId: runs.pipelineId, ...counts })
    .from(runs)
    .where(during(query))
    .groupBy(runs.pipelineId)
    .orderBy(desc(counts.runs));
  return rows.map((row) => ({
    ...toBucket(query.start, query.end, row),
    pipeline_id: row.pipelineId,
    pipeline_name: nameOf(row.pipelineId),
  }));
}

/** Sums, and their change against the span of equal length before. */
export async function totalCompute(db: Database, query: MetricsQuery): Promise<TotalComputeGet> {
  const [now = NO_RUNS] = await db.select(counts).from(runs).where(during(query));
  const [then = NO_RUNS] = await db
    .select(counts)
    .from(runs)
    .where(during(before(query)));
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
  const rows = await db
    .select({ resourceType: sql<string>`${runs.resourceType}`, ...counts })
    .from(runs)
    .where(and(during(query), isNotNull(runs.resourceType)))
    .groupBy(runs.resourceType)
    .orderBy(desc(counts.computeMs));
  const total = rows.reduce((sum, row) => sum + row.computeMs, 0);
  return rows.map((row) => ({
    resource_type: row.resourceType,
    total_percentage: total === 0 ? 0 : (100 * row.computeMs) / total,
    run_count: row.runs,
    average_runtime: row.succeeded === 0 ? null : row.computeMs / row.succeeded,
  }));
}

function during({ projectId, pipelineId, start, end }: MetricsQuery): SQL | undefined {
  return and(
    eq(runs.projectId, projectId),
    gte(runs.createdAt, start),
    lt(runs.createdAt, end),
    pipelineId === null ? undefined : eq(runs.pipelineId, pipelineId),
  );
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
