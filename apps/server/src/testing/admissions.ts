import assert from 'node:assert/strict';
import { ApiError } from '@gptj-cloud/protocol';
import { eq, sql } from 'drizzle-orm';
import type { Principal } from '../identity/principal.ts';
import type { Plan } from '../metering/plans/plan.ts';
import type { Admission, GenerationCost, GenerationEstimate } from '../metering/usage/admission.ts';
import { type CountedAdmission, openCountedAdmission } from '../metering/usage/counted-admission.ts';
import { usageDaily } from '../metering/usage/usage-tables.ts';
import type { Database } from '../store/db.ts';
import { createLogger } from '../telemetry/logger.ts';
import { bookOf, planOf } from './plans.ts';

/** The admission of a process, on a clock that the test sets. */
export async function openOn(db: Database, plan: Plan, clock: { ms: number }): Promise<CountedAdmission> {
  return await openCountedAdmission({
    db,
    plans: bookOf(plan, planOf('other'), planOf('larger', { maxContext: 4096 })),
    servedModel: 'gpt-j-6b',
    clock: () => new Date(clock.ms),
    logger: createLogger(
      () => {},
      () => new Date(clock.ms),
    ),
    sweepEveryMs: null,
  });
}

/** The error of a call that is expected to be refused. */
export async function refusalOf(call: Promise<unknown>): Promise<ApiError> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof ApiError, String(error));
    return error;
  }
  assert.fail('expected a refusal, got none');
}

/** The counters of an account in the store. */
export async function countersOf(db: Database, account: string): Promise<unknown> {
  const rows = await db
    .select({
      running: sql<unknown>`running`.mapWith(Number),
      dayUsed: sql<unknown>`day_used`.mapWith(Number),
      dayReserved: sql<unknown>`day_reserved`.mapWith(Number),
      monthUsed: sql<unknown>`month_used`.mapWith(Number),
      monthReserved: sql<unknown>`month_reserved`.mapWith(Number),
    })
    .from(sql`usage_accounts`)
    .where(sql`account_id = ${account}`);
  return rows[0];
}

/** The metered usage of an account, by day. */
export const meteredOf = async (db: Database, account: string): Promise<(typeof usageDaily.$inferSelect)[]> =>
  await db.select().from(usageDaily).where(eq(usageDaily.accountId, account)).orderBy(usageDaily.day);

export const estimate = (promptTokens: number, maxGeneratedTokens: number): GenerationEstimate => ({
  model: 'pipeline_x',
  computedTokens: promptTokens + maxGeneratedTokens,
  contextTokens: promptTokens + maxGeneratedTokens,
});
export const cost = (promptTokens: number, generatedTokens: number): GenerationCost => ({
  promptTokens,
  generatedTokens,
  computedTokens: promptTokens + generatedTokens,
  computeMs: 12.5,
});

/** Admit a run in a transaction and return its ticket. Throws the refusal. */
export async function admitRun(
  db: Database,
  admission: Admission,
  principal: Principal,
  estimate: GenerationEstimate,
): Promise<string> {
  const [answer] = await db.transaction((tx) => admission.admitRuns(tx, [{ principal, estimate }]));
  if (answer === undefined || answer instanceof ApiError) throw answer;
  return answer.ticket;
}

export async function endRun(
  db: Database,
  admission: Admission,
  ticket: string,
  cost: GenerationCost | null,
): Promise<void> {
  await db.transaction((tx) => admission.endRuns(tx, [{ ticket, cost }]));
}
