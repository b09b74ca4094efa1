/** Reads what `usage_admit` (migrations 0004 and 0007) counts, without a lock and without writing. */
import { sql } from 'drizzle-orm';
import type { Database } from '../../store/db.ts';

/** What an account has used of the limits that need counters. */
export interface CountedUse {
  /** The time that admission would use. */
  readonly at: Date;
  /** Computed tokens. */
  readonly dayUsed: number;
  readonly dayReserved: number;
  readonly monthUsed: number;
  readonly monthReserved: number;
  /** Admitted requests that have not ended. */
  readonly running: number;
  /** Requests that were admitted within the last minute. */
  readonly requests: number;
}

/**
 * The counters of the account of a project. They are summed from the meters and the reservations, which one statement reads in
 * one state, so that they agree with the usage of the same time.
 */
export async function readCountedUse(
  db: Database,
  { userId, projectId }: { readonly userId: string; readonly projectId: string },
  now: Date,
): Promise<CountedUse> {
  const clock = sql`${now.toISOString()}::timestamptz`;
  const rows = await db
    .select({
      atMs: sql<unknown>`extract(epoch FROM t.at) * 1000`.mapWith(Number),
      dayUsed: sql<unknown>`u.day_used`.mapWith(Number),
      monthUsed: sql<unknown>`u.month_used`.mapWith(Number),
      dayReserved: sql<unknown>`r.day_reserved`.mapWith(Number),
      monthReserved: sql<unknown>`r.month_reserved`.mapWith(Number),
      running: sql<unknown>`r.running`.mapWith(Number),
      requests: sql<unknown>`r.requests`.mapWith(Number),
    })
    .from(
      sql`(SELECT usage_account_of(${projectId}, ${userId}) AS account) o
      LEFT JOIN usage_accounts a ON a.account_id = o.account
      CROSS JOIN LATERAL (
        SELECT CASE WHEN a.last_at <= ${clock} + interval '1 minute' THEN greatest(${clock}, a.last_at) ELSE ${clock} END AS at
      ) t
      CROSS JOIN LATERAL (SELECT (t.at AT TIME ZONE 'UTC')::date AS today) d
      CROSS JOIN LATERAL (
        SELECT coalesce(sum(m.computed_tokens) FILTER (WHERE m.day = d.today), 0) AS day_used,
          coalesce(sum(m.computed_tokens), 0) AS month_used
        FROM usage_account_days m
        WHERE m.account_id = o.account AND m.day >= usage_month(d.today) AND m.day <= d.today
      ) u
      CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE e.state = 'open') AS running,
          coalesce(sum(e.tokens) FILTER (WHERE e.state = 'open' AND e.day = d.today), 0) AS day_reserved,
          coalesce(sum(e.tokens) FILTER (WHERE e.state = 'open' AND e.day >= usage_month(d.today)), 0) AS month_reserved,
          count(*) FILTER (WHERE e.admitted_at > t.at - interval '1 minute' AND e.admitted_at <= t.at) AS requests
        FROM usage_reservations e WHERE e.account_id = o.account
      ) r`,
    );
  const row = rows[0];
  if (row === undefined) throw new TypeError('expected one row of counters, got none');
  return {
    at: new Date(Number(row.atMs)),
    dayUsed: Number(row.dayUsed),
    dayReserved: Number(row.dayReserved),
    monthUsed: Number(row.monthUsed),
    monthReserved: Number(row.monthReserved),
    running: Number(row.running),
    requests: Number(row.requests),
  };
}
