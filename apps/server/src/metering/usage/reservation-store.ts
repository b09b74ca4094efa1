/** The SQL functions of the migrations 0004, 0007 and 0019 that admit requests and meter them: one round trip each. */
import { eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Database } from '../../store/db.ts';
import type { Meter } from './ticket.ts';
import { usageHolders } from './usage-tables.ts';

/** Limits that need counters; null for no limit. */
export interface CountedLimits {
  readonly requestsPerMinute: number | null;
  readonly concurrentRuns: number | null;
  readonly tokensPerDay: number | null;
  readonly tokensPerMonth: number | null;
}

export interface ReservationRequest {
  readonly userId: string;
  readonly projectId: string;
  readonly planId: string;
  /** Computed tokens. */
  readonly tokens: number;
  /** The process that ends it; null: it ends with a run. */
  readonly instanceId: string | null;
  readonly limits: CountedLimits;
  readonly now: Date;
}

const answerSchema = z.discriminatedUnion('verdict', [
  z.object({ verdict: z.literal('granted'), account: z.string(), seq: z.number(), day: z.string() }),
  z.object({ verdict: z.literal('concurrency'), used: z.number() }),
  z.object({ verdict: z.literal('rate'), waitMs: z.number() }),
  z.object({
    verdict: z.enum(['day', 'month']),
    used: z.number(),
    reserved: z.number(),
    nowMs: z.number(),
  }),
]);

/** The reservation's key, or the limit that refuses it. */
export type ReservationAnswer = z.infer<typeof answerSchema>;

/** The cost of a generation, in whole numbers. */
export interface MeteredCost {
  readonly promptTokens: number;
  readonly generatedTokens: number;
  readonly computedTokens: number;
  readonly cachedTokens: number;
  readonly computeMs: number;
}

/** A cost and its meter. */
export interface Settlement {
  readonly meter: Meter;
  /** Null: nothing was used; the whole reservation is returned, and nothing is metered. */
  readonly cost: MeteredCost | null;
}

/**
 * Reserve for several requests, with one answer for each. One statement, since many cost little more than one. Accounts
 * are locked in the order of their ids, so that two servers cannot deadlock.
 */
export async function reserveAll(
  db: Database,
  requests: readonly ReservationRequest[],
): Promise<readonly ReservationAnswer[]> {
  const items = requests.map(({ limits, now, instanceId, ...request }, index) => ({
    index,
    ...request,
    holder: instanceId,
    now: now.toISOString(),
    per_minute: limits.requestsPerMinute,
    concurrent: limits.concurrentRuns,
    per_day: limits.tokensPerDay,
    per_month: limits.tokensPerMonth,
  }));
  const rows = await db
    .select({
      index: sql<unknown>`r.index`.mapWith(Number),
      verdict: sql<string>`a.verdict`,
      account: sql<string | null>`a.account`,
      seq: sql<unknown>`a.granted_seq`.mapWith(Number),
      day: sql<string | null>`a.granted_day`,
      used: sql<unknown>`a.counted`.mapWith(Number),
      reserved: sql<unknown>`a.reserved`.mapWith(Number),
      nowMs: sql<unknown>`a.moment_ms`.mapWith(Number),
      waitMs: sql<unknown>`a.wait_ms`.mapWith(Number),
    })
    .from(
      sql`(
        SELECT * FROM jsonb_to_recordset(${JSON.stringify(items)}::text::jsonb) AS t (
          index integer, "userId" text, "projectId" text, "planId" text, now timestamptz, tokens bigint, holder text,
          per_minute integer, concurrent integer, per_day bigint, per_month bigint)
        ORDER BY usage_account_of("projectId", "userId"), index
      ) r CROSS JOIN LATERAL usage_admit(r."userId", r."projectId", r."planId", r.now, r.tokens, r.holder,
        r.per_minute, r.concurrent, r.per_day, r.per_month) a`,
    );
  return rows.sort((a, b) => Number(a.index) - Number(b.index)).map((row) => answerSchema.parse(row));
}

/**
 * Meter costs and end their reservations, if any. False for a reservation that was ended before: it changes nothing.
 * One statement, which writes the meters in a fixed order.
 */
export async function settleAll(db: Database, settlements: readonly Settlement[]): Promise<readonly boolean[]> {
  return await createSettler(db)(settlements);
}

/** `settleAll` for a database that settles many times: putting the SQL together each time would delay every reply. */
export function createSettler(db: Database): (settlements: readonly Settlement[]) => Promise<readonly boolean[]> {
  const query = prepareSettlement(db);
  return async (settlements) => {
    const items = settlements.map(({ meter, cost }, index) => ({
      index,
      ...meter,
      hourAt: `${meter.day}T${String(meter.hour).padStart(2, '0')}:00:00Z`,
      ...(cost ?? { cancelled: true }),
    }));
    const rows = await query.execute({ items: JSON.stringify(items) });
    return rows.sort((a, b) => Number(a.index) - Number(b.index)).map(({ metered }) => metered === true);
  };
}

function prepareSettlement(db: Database) {
  return (
    db
      .select({ index: sql<unknown>`r.index`.mapWith(Number), metered: sql<unknown>`s.metered` })
      .from(
        sql`(
        SELECT * FROM jsonb_to_recordset(${sql.placeholder('items')}::text::jsonb) AS t (
          index integer, "accountId" text, seq bigint, day date, "hourAt" timestamptz, "projectId" text, "userId" text, "apiKeyId" text,
          pipeline text, "planId" text, "promptTokens" bigint, "generatedTokens" bigint, "computedTokens" bigint,
          "cachedTokens" bigint, "computeMs" bigint, cancelled boolean)
        ORDER BY coalesce("accountId", usage_account_of("projectId", "userId")),
          day, "projectId", "userId", "apiKeyId", pipeline, "planId", "hourAt", index
      ) r CROSS JOIN LATERAL (SELECT CASE
        WHEN r.cancelled AND r.seq IS NULL THEN false
        WHEN r.cancelled THEN usage_end_reservation(r."accountId", r.seq, 0)
        ELSE usage_settle_hour(r."hourAt", r."accountId", r.seq, r.day, r."projectId", r."userId", coalesce(r."apiKeyId", ''),
          r.pipeline, r."planId", r."promptTokens", r."generatedTokens", r."computedTokens", r."cachedTokens",
          r."computeMs")
        END) AS s (metered)`,
      )
      // Without a name of its own: the pool gives one where it pays.
      .prepare('')
  );
}

/**
 * Store the heartbeat of a process, valid until `expiresAt`, and return the reservations of dead processes. Returns how
 * many reservations those were.
 */
export async function sweepReservations(db: Database, instanceId: string, now: Date, expiresAt: Date): Promise<number> {
  const rows = await db
    .select({ expired: sql<unknown>`expired`.mapWith(Number) })
    .from(
      sql`usage_sweep(${now.toISOString()}::timestamptz, ${instanceId}, ${expiresAt.toISOString()}::timestamptz) AS expired`,
    );
  return Number(rows[0]?.expired ?? 0);
}

/** Remove the heartbeat of a process that ends. The next sweep of any process returns its open reservations. */
export async function removeHeartbeat(db: Database, instanceId: string): Promise<void> {
  await db.delete(usageHolders).where(eq(usageHolders.holder, instanceId));
}
