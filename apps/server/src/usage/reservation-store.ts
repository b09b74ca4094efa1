/** The SQL functions of migration 0004 that let requests in and meter them: one round trip each. */
import { eq, sql } from 'drizzle-orm';
import { pgTable, text } from 'drizzle-orm/pg-core';
import { z } from 'zod';
import type { Database } from '../store/db.ts';
import type { Meter } from './ticket.ts';

const holders = pgTable('usage_holders', { holder: text('holder').primaryKey() });

/** Limits that must be counted; null is none. */
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
  readonly tokens: number;
  /** Process that ends it; null: it ends with a run. */
  readonly holder: string | null;
  readonly limits: CountedLimits;
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

/** Let in, with what names the reservation, or the limit that stands against it. */
export type ReservationAnswer = z.infer<typeof answerSchema>;

/** What a metered generation used, in whole numbers. */
export interface MeteredCost {
  readonly promptTokens: number;
  readonly generatedTokens: number;
  readonly cachedTokens: number;
  readonly computeMs: number;
}

export async function reserve(db: Database, request: ReservationRequest, now: Date): Promise<ReservationAnswer> {
  const { limits } = request;
  const rows = await db
    .select({
      verdict: sql<string>`verdict`,
      account: sql<string | null>`account`,
      seq: sql<unknown>`granted_seq`.mapWith(Number),
      day: sql<string | null>`granted_day`,
      used: sql<unknown>`counted`.mapWith(Number),
      reserved: sql<unknown>`reserved`.mapWith(Number),
      nowMs: sql<unknown>`moment_ms`.mapWith(Number),
      waitMs: sql<unknown>`wait_ms`.mapWith(Number),
    })
    .from(
      sql`usage_admit(${request.userId}, ${request.projectId}, ${request.planId}, ${now.toISOString()}::timestamptz,
        ${request.tokens}::bigint, ${request.holder}, ${limits.requestsPerMinute}::integer,
        ${limits.concurrentRuns}::integer, ${limits.tokensPerDay}::bigint, ${limits.tokensPerMonth}::bigint)`,
    );
  return answerSchema.parse(rows[0]);
}

/** Meter a cost, ending the reservation if there is one. False: it had been ended before, and nothing was metered. */
export async function settleUsage(db: Database, meter: Meter, cost: MeteredCost): Promise<boolean> {
  const rows = await db.select({ metered: sql<unknown>`metered` }).from(
    sql`usage_settle(${meter.accountId}, ${meter.seq}::bigint, ${meter.day}::date, ${meter.projectId}, ${meter.userId},
        ${meter.apiKeyId ?? ''}, ${meter.pipeline}, ${meter.planId}, ${cost.promptTokens}::bigint,
        ${cost.generatedTokens}::bigint, ${cost.cachedTokens}::bigint, ${cost.computeMs}::bigint) AS metered`,
  );
  return rows[0]?.metered === true;
}

/** Return all of a reservation. */
export async function cancelReservation(db: Database, accountId: string, seq: number): Promise<void> {
  await db
    .select({ ended: sql<unknown>`ended` })
    .from(sql`usage_end_reservation(${accountId}, ${seq}::bigint, 0) AS ended`);
}

/** Say that a process is alive until `expiresAt`, and return what dead ones had reserved; how many reservations. */
export async function sweepReservations(db: Database, holder: string, now: Date, expiresAt: Date): Promise<number> {
  const rows = await db
    .select({ expired: sql<unknown>`expired`.mapWith(Number) })
    .from(
      sql`usage_sweep(${now.toISOString()}::timestamptz, ${holder}, ${expiresAt.toISOString()}::timestamptz) AS expired`,
    );
  return Number(rows[0]?.expired ?? 0);
}

/** A process that ends: what it left open is returned by the next sweep of anybody. */
export async function forgetHolder(db: Database, holder: string): Promise<void> {
  await db.delete(holders).where(eq(holders.holder, holder));
}
