import type { PageQuery } from '@gptj-cloud/protocol';
import { and, asc, count, desc, eq } from 'drizzle-orm';
import type { Database } from '../store/db.ts';
import { auditLog } from './audit-tables.ts';

export type AuditRow = Readonly<typeof auditLog.$inferSelect>;

/** Add an entry. The store refuses every later change of it. */
export async function insertAuditEntry(db: Database, row: typeof auditLog.$inferInsert): Promise<void> {
  await db.insert(auditLog).values(row);
}

/** Selects entries of the log. */
export interface AuditFilter {
  readonly userId?: string;
  readonly action?: string;
}

/** A page of the log of the whole server, and the number of all entries that match. */
export async function findAuditEntries(
  db: Database,
  page: PageQuery<'created_at'>,
  { userId, action }: AuditFilter,
): Promise<{ readonly total: number; readonly rows: readonly AuditRow[] }> {
  const matches = and(
    userId === undefined ? undefined : eq(auditLog.userId, userId),
    action === undefined ? undefined : eq(auditLog.action, action),
  );
  const order = page.orderBy.direction === 'asc' ? asc : desc;
  const totals = await db.select({ total: count() }).from(auditLog).where(matches);
  const rows = await db
    .select()
    .from(auditLog)
    .where(matches)
    .orderBy(order(auditLog.at), order(auditLog.id))
    .offset(page.skip)
    .limit(page.limit);
  return { total: totals[0]?.total ?? 0, rows };
}
