import { and, count as countOf, eq, gte, inArray, lt, type SQL, sql } from 'drizzle-orm';
import type { Database } from '../../store/db.ts';
import { runCounts } from './run-counts-tables.ts';

/** Times of complete runs, from the acceptance on. */
export const LATENCIES = ['queued', 'first_token', 'total'] as const;
export type Latency = (typeof LATENCIES)[number];

/** Something to count once. */
export interface CountedEvent {
  readonly projectId: string;
  readonly at: Date;
  readonly kind: 'error' | Latency;
  readonly key: string;
}

export interface CountSpan {
  readonly projectId: string;
  readonly start: Date;
  readonly end: Date;
  readonly bucket: 'hour' | 'day';
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Count events. The rows are written in a fixed order, so that two transactions cannot deadlock. */
export async function addCounts(
  db: Database,
  events: readonly (CountedEvent & { readonly count?: number })[],
): Promise<void> {
  const sums = new Map<string, { projectId: string; at: string; kind: string; key: string; count: number }>();
  for (const { projectId, at, kind, key, count = 1 } of events) {
    const hour = new Date(Math.floor(at.getTime() / HOUR_MS) * HOUR_MS).toISOString();
    const id = `${projectId} ${hour} ${kind} ${key}`;
    const sum = sums.get(id) ?? { projectId, at: hour, kind, key, count: 0 };
    sum.count += count;
    sums.set(id, sum);
  }
  const rows = [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  if (rows.length === 0) return;
  await db.execute(sql`
    INSERT INTO run_counts AS c (project_id, at, hours, kind, key, count)
    SELECT "projectId", at, 1, kind, key, count
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) AS e (
      "projectId" text, at timestamptz, kind text, key text, count bigint)
    -- A project may have been deleted since.
    WHERE EXISTS (SELECT 1 FROM projects WHERE id = "projectId")
    ON CONFLICT (project_id, at, kind, key, hours) DO UPDATE SET count = c.count + excluded.count`);
}

/** Counts of errors by bucket and code. */
export async function errorCounts(
  db: Database,
  span: CountSpan,
): Promise<readonly { readonly at: Date; readonly code: string; readonly count: number }[]> {
  const rows = await db
    .select({
      at: bucketOf(span).mapWith(runCounts.at),
      code: runCounts.key,
      count: sql<number>`sum(${runCounts.count})`.mapWith(Number),
    })
    .from(runCounts)
    .where(and(during(span), eq(runCounts.kind, 'error')))
    .groupBy(sql`1, 2`)
    .orderBy(sql`1, 2`);
  return rows;
}

export interface LatencyRow {
  /** Null: the whole span. */
  readonly at: Date | null;
  readonly kind: string;
  readonly runs: number;
  /** The bins that hold the 50th, 95th and 99th of a hundred runs. */
  readonly bins: readonly [p50: number, p95: number, p99: number];
}

/** Percentiles of each bucket, and of the whole span. */
export async function latencyBins(db: Database, span: CountSpan): Promise<readonly LatencyRow[]> {
  // Sorting and adding up tens of thousands of bins takes the store several times as long as handing them over.
  const rows = await db
    .select({
      at: runCounts.at,
      kind: runCounts.kind,
      bins: sql<string>`string_agg(${runCounts.key}, ' ')`,
      runs: sql<string>`string_agg(${runCounts.count}::text, ' ')`,
    })
    .from(runCounts)
    .where(and(during(span), inArray(runCounts.kind, [...LATENCIES])))
    .groupBy(runCounts.at, runCounts.kind);
  const widthMs = span.bucket === 'hour' ? HOUR_MS : DAY_MS;
  const buckets = new Map<string, { readonly at: Date; readonly kind: string; readonly histogram: Histogram }>();
  const overall = new Map<string, Histogram>();
  for (const { at, kind, bins, runs } of rows) {
    const startMs = Math.floor(at.getTime() / widthMs) * widthMs;
    const bucket = buckets.get(`${startMs} ${kind}`) ?? { at: new Date(startMs), kind, histogram: new Map() };
    buckets.set(`${startMs} ${kind}`, bucket);
    const ofKind = overall.get(kind) ?? new Map<number, number>();
    overall.set(kind, ofKind);
    const counts = runs.split(' ').map(Number);
    for (const [i, key] of bins.split(' ').entries()) {
      for (const histogram of [bucket.histogram, ofKind]) addRuns(histogram, Number(key), counts[i] ?? 0);
    }
  }
  const inOrder = [...buckets.values()].sort((a, b) => a.at.getTime() - b.at.getTime());
  return [
    ...[...overall].map(([kind, histogram]) => ({ at: null, kind, ...percentilesOf(histogram) })),
    ...inOrder.map(({ at, kind, histogram }) => ({ at, kind, ...percentilesOf(histogram) })),
  ];
}

/** Runs by bin. */
type Histogram = Map<number, number>;

function addRuns(histogram: Histogram, bin: number, runs: number): void {
  histogram.set(bin, (histogram.get(bin) ?? 0) + runs);
}

function percentilesOf(histogram: Histogram): Pick<LatencyRow, 'runs' | 'bins'> {
  const sorted = [...histogram].sort(([a], [b]) => a - b);
  const runs = sorted.reduce((sum, [, count]) => sum + count, 0);
  const binAt = (part: number): number => {
    let upTo = 0;
    for (const [bin, count] of sorted) {
      upTo += count;
      if (upTo >= part * runs) return bin;
    }
    return sorted.at(-1)?.[0] ?? 0;
  };
  return { runs, bins: [binAt(0.5), binAt(0.95), binAt(0.99)] };
}

function during({ projectId, start, end }: CountSpan): SQL | undefined {
  return and(eq(runCounts.projectId, projectId), gte(runCounts.at, start), lt(runCounts.at, end));
}

function bucketOf({ bucket }: CountSpan): SQL {
  return bucket === 'hour' ? sql`${runCounts.at}` : sql`date_trunc('day', ${runCounts.at}, 'UTC')`;
}

/** Add the hours before `horizon`, the beginning of a day, up to days: of one day at a time. False: there were none. */
export async function foldOldHours(db: Database, horizon: Date): Promise<boolean> {
  return await db.transaction(async (tx) => {
    const [oldest] = await tx
      .select({ day: sql<Date | null>`date_trunc('day', min(${runCounts.at}), 'UTC')`.mapWith(runCounts.at) })
      .from(runCounts)
      .where(and(eq(runCounts.hours, 1), lt(runCounts.at, horizon)));
    const day = oldest?.day ?? null;
    if (day === null) return false;
    await tx.execute(sql`
      WITH old AS (
        DELETE FROM run_counts WHERE hours = 1 AND at >= ${day.toISOString()}::timestamptz
          AND at < ${day.toISOString()}::timestamptz + interval '24 hours'
        RETURNING project_id, kind, key, count
      )
      INSERT INTO run_counts AS c (project_id, at, hours, kind, key, count)
      SELECT project_id, ${day.toISOString()}::timestamptz, 24, kind, key, sum(count) FROM old
      GROUP BY project_id, kind, key ORDER BY project_id, kind, key
      ON CONFLICT (project_id, at, kind, key, hours) DO UPDATE SET count = c.count + excluded.count`);
    return true;
  });
}

/** Remove the days before `horizon`. Returns the number of rows. */
export async function removeOldCounts(db: Database, horizon: Date): Promise<number> {
  const old = and(eq(runCounts.hours, 24), lt(runCounts.at, horizon));
  const [found] = await db.select({ rows: countOf() }).from(runCounts).where(old);
  if ((found?.rows ?? 0) > 0) await db.delete(runCounts).where(old);
  return found?.rows ?? 0;
}
