import { eq, like, lt, or, sql } from 'drizzle-orm';
import type { Database } from '../../store/db.ts';
import { loginFailures } from '../identity-tables.ts';

/** When repeated attempts are locked out, and for how long. */
export interface LockoutRule {
  /** Attempts before the first lockout. */
  readonly free: number;
  /** Length of the first lockout; every further attempt doubles it. */
  readonly firstLockMs: number;
  readonly maxLockMs: number;
  /** The count starts again after this long without an attempt. */
  readonly resetAfterMs: number;
}

/**
 * Count an attempt of `subject`, in one statement, so that parallel attempts cannot pass the limit together. Returns null,
 * or the milliseconds left while the subject is locked out; such an attempt is not counted.
 */
export async function recordAttempt(
  db: Database,
  now: Date,
  subject: string,
  rule: LockoutRule,
): Promise<number | null> {
  const at = now.toISOString();
  const resetBefore = new Date(now.getTime() - rule.resetAfterMs).toISOString();
  const t = loginFailures;
  const attempts = sql`CASE WHEN ${t.lastFailureAt} < ${resetBefore}::timestamptz THEN 1 ELSE ${t.failures} + 1 END`;
  const doublings = sql`least(greatest(${attempts} - ${rule.free}::int, 0), 30)`;
  const lockMs = sql`least(${rule.firstLockMs}::float8 * power(2, ${doublings}), ${rule.maxLockMs}::float8)`;
  const lockedUntil = sql`CASE WHEN ${attempts} < ${rule.free}::int THEN NULL
    ELSE ${at}::timestamptz + ${lockMs} * interval '1 millisecond' END`;
  const recorded = await db
    .insert(t)
    .values({ subject, failures: 1, lastFailureAt: now, lockedUntil: null })
    .onConflictDoUpdate({
      target: t.subject,
      set: { failures: attempts, lastFailureAt: now, lockedUntil },
      // An attempt of the future was counted before the clock was set back: its lockout would last until the clock has caught up.
      setWhere: sql`${t.lockedUntil} IS NULL OR ${t.lockedUntil} <= ${at}::timestamptz
        OR ${t.lastFailureAt} > ${at}::timestamptz + interval '5 seconds'`,
    })
    .returning({ failures: t.failures });
  if (recorded.length > 0) return null;
  const rows = await db.select({ lockedUntil: t.lockedUntil }).from(t).where(eq(t.subject, subject));
  return (rows[0]?.lockedUntil?.getTime() ?? now.getTime()) - now.getTime();
}

/** Subtract one attempt from the count of `subject`, and end its lockout. */
export async function refundAttempt(db: Database, subject: string): Promise<void> {
  const t = loginFailures;
  await db
    .update(t)
    .set({ failures: sql`greatest(${t.failures} - 1, 0)`, lockedUntil: null })
    .where(eq(t.subject, subject));
}

/** Set the count of `subject` to zero. */
export async function clearAttempts(db: Database, subject: string): Promise<void> {
  await db.delete(loginFailures).where(eq(loginFailures.subject, subject));
}

/** Set the counts of `subject` and of every subject that begins with it and a colon to zero. */
export async function clearAttemptsBelow(db: Database, subject: string): Promise<void> {
  const t = loginFailures;
  await db.delete(t).where(or(eq(t.subject, subject), like(t.subject, `${subject}:%`)));
}

/** Delete the counts of all subjects without an attempt since `before`. */
export async function deleteAttemptsBefore(db: Database, before: Date): Promise<void> {
  await db.delete(loginFailures).where(lt(loginFailures.lastFailureAt, before));
}
