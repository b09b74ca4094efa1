import {
  type ErrorCountsGet,
  invalidParameter,
  type Latencies,
  type LatencyGet,
  type LatencyPercentiles,
  toTimestamp,
} from '@gptj-cloud/protocol';
import type { Database } from '../../store/db.ts';
import { type Polling, startPolling } from '../../store/polling.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { msOf } from './latency-bins.ts';
import type { RefusalCounts } from './refusal-counts.ts';
import {
  type CountSpan,
  errorCounts,
  foldOldHours,
  type LatencyRow,
  latencyBins,
  removeOldCounts,
} from './run-counts-store.ts';

/** The time that is counted. */
export interface CountQuery {
  /** Default: a day before the end. */
  readonly start: Date | undefined;
  /** Default: now. */
  readonly end: Date | undefined;
  readonly bucket: 'hour' | 'day';
}

/** Counts of a project over time. Each throws `invalid_request` for a span that is not kept or too long. */
export interface RunCounts {
  latency(projectId: string, query: CountQuery): Promise<LatencyGet>;
  errors(projectId: string, query: CountQuery): Promise<ErrorCountsGet>;
}

export interface RunCountsDeps {
  readonly db: Database;
  readonly clock: () => Date;
  readonly refusals: Pick<RefusalCounts, 'flush'>;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Of a reply by hour. */
const MAX_HOURLY_DAYS = 31;
const MAX_DAYS = 366;
/** Older hours are added up to days. */
const HOURS_KEPT_DAYS = 35;
const DAYS_KEPT = 400;

export function createRunCounts({ db, clock, refusals }: RunCountsDeps): RunCounts {
  return {
    async latency(projectId, query) {
      const span = spanOf(projectId, query, clock());
      const rows = await latencyBins(db, span);
      const starts = [...new Set(rows.flatMap(({ at }) => (at === null ? [] : [at.getTime()])))];
      return {
        ...shown(span),
        buckets: starts.map((start) => ({
          start: start / 1000,
          ...latenciesOf(rows.filter(({ at }) => at?.getTime() === start)),
        })),
        overall: latenciesOf(rows.filter(({ at }) => at === null)),
      };
    },
    async errors(projectId, query) {
      await refusals.flush();
      const span = spanOf(projectId, query, clock());
      const rows = await errorCounts(db, span);
      const total = new Map<string, number>();
      for (const { code, count } of rows) total.set(code, (total.get(code) ?? 0) + count);
      return {
        ...shown(span),
        buckets: rows.map(({ at, code, count }) => ({ start: toTimestamp(at), code, count })),
        total: [...total].map(([code, count]) => ({ code, count })).sort((a, b) => b.count - a.count),
      };
    },
  };
}

/** Whole hours or days. */
function spanOf(projectId: string, { start, end, bucket }: CountQuery, now: Date): CountSpan {
  const widthMs = bucket === 'hour' ? HOUR_MS : DAY_MS;
  const endMs = Math.ceil((end ?? new Date(now.getTime() + 1)).getTime() / widthMs) * widthMs;
  const startMs = Math.floor((start?.getTime() ?? endMs - DAY_MS) / widthMs) * widthMs;
  const maxDays = bucket === 'hour' ? MAX_HOURLY_DAYS : MAX_DAYS;
  if (startMs >= endMs || endMs - startMs > maxDays * DAY_MS) {
    throw invalidParameter('query->start', `expected up to ${maxDays} days before end, by ${bucket}`);
  }
  if (bucket === 'hour' && startMs < now.getTime() - HOURS_KEPT_DAYS * DAY_MS) {
    throw invalidParameter('query->start', `expected the last ${HOURS_KEPT_DAYS} days, whose hours are kept, or days`);
  }
  return { projectId, start: new Date(startMs), end: new Date(endMs), bucket };
}

function shown({ start, end, bucket }: CountSpan) {
  return { start: toTimestamp(start), end: toTimestamp(end), bucket } as const;
}

function latenciesOf(rows: readonly LatencyRow[]): Latencies {
  const of = (kind: string): LatencyPercentiles => {
    const row = rows.find((each) => each.kind === kind);
    if (row === undefined) return { runs: 0, p50_ms: null, p95_ms: null, p99_ms: null };
    const [p50, p95, p99] = row.bins;
    return { runs: row.runs, p50_ms: msOf(p50), p95_ms: msOf(p95), p99_ms: msOf(p99) };
  };
  return { queued: of('queued'), first_token: of('first_token'), total: of('total') };
}

/** Add old hours up to days and remove old days, every hour. */
export function startCountRetention({
  db,
  clock,
  logger,
  mayWork,
}: {
  readonly db: Database;
  readonly clock: () => Date;
  readonly logger: Logger;
  /** Whether this process does it, of those on the store. */
  readonly mayWork: () => Promise<boolean>;
}): Polling {
  const sweep = async (): Promise<void> => {
    const today = Math.floor(clock().getTime() / DAY_MS) * DAY_MS;
    const horizon = new Date(today - HOURS_KEPT_DAYS * DAY_MS);
    while (await foldOldHours(db, horizon));
    await removeOldCounts(db, new Date(today - DAYS_KEPT * DAY_MS));
  };
  return startPolling(sweep, {
    everyMs: HOUR_MS,
    mayWork,
    onError: (error) => logger.error('old counts of runs could not be added up', { error }),
  });
}
