import type { PageQuery } from '@gptj-cloud/protocol';
import { and, eq, inArray, lt, sql } from 'drizzle-orm';
import type { Database } from '../store/db.ts';
import { findPage, type Page } from '../store/page.ts';
import { auditLog, auditRepeats } from './audit-tables.ts';

export type AuditRow = Readonly<typeof auditLog.$inferSelect>;

/** Add an entry. The store refuses every later change of it. */
export async function insertAuditEntry(db: Database, row: typeof auditLog.$inferInsert): Promise<void> {
  await db.insert(auditLog).values(row);
}

/** Selects entries of the log. */
export interface AuditFilter {
  readonly userId?: string;
  readonly action?: string;
  readonly projectId?: string;
}

/** A page of the log, and the number of all entries that match. */
export async function findAuditEntries(
  db: Database,
  page: PageQuery<'created_at'>,
  { userId, action, projectId }: AuditFilter,
): Promise<Page<AuditRow>> {
  const matches = and(
    userId === undefined ? undefined : eq(auditLog.userId, userId),
    action === undefined ? undefined : eq(auditLog.action, action),
    projectId === undefined ? undefined : eq(auditLog.projectId, projectId),
  );
  const source = { table: auditLog, time: auditLog.at, id: auditLog.id, where: matches };
  const load = async (ids: readonly number[]) =>
    await db
      .select()
      .from(auditLog)
      .where(inArray(auditLog.id, [...ids]));
  return await findPage(db, source, page, load, ({ id }) => id);
}

/** How often an actor did something within an hour. */
export type AuditRepeats = Readonly<typeof auditRepeats.$inferSelect>;

/** Locks the count until the transaction ends. */
export async function findRepeats(db: Database, actor: string, action: string): Promise<AuditRepeats | null> {
  const rows = await db
    .select()
    .from(auditRepeats)
    .where(and(eq(auditRepeats.actor, actor), eq(auditRepeats.action, action)))
    .for('update');
  return rows[0] ?? null;
}

export async function saveRepeats(db: Database, repeats: AuditRepeats): Promise<void> {
  const { since, count, listed } = repeats;
  await db
    .insert(auditRepeats)
    .values(repeats)
    .onConflictDoUpdate({ target: [auditRepeats.actor, auditRepeats.action], set: { since, count, listed } });
}

export async function removeOldRepeats(db: Database, horizon: Date): Promise<void> {
  await db.delete(auditRepeats).where(lt(auditRepeats.since, horizon));
}

/** Delete up to `limit` entries from before `horizon`, the oldest first. Returns their number. */
export async function expireAudit(db: Database, horizon: Date, limit: number): Promise<number> {
  const rows = await db
    .select({ removed: sql<unknown>`removed`.mapWith(Number) })
    .from(sql`audit_log_expire(${horizon.toISOString()}::timestamptz, ${limit}::integer) AS removed`);
  return Number(rows[0]?.removed ?? 0);
}
