import type { PageQuery } from '@gptj-cloud/protocol';
import { and, eq } from 'drizzle-orm';
import type { Database } from '../store/db.ts';
import { pageOrder } from '../store/page-order.ts';
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
  const rows = await db
    .select()
    .from(auditLog)
    .where(matches)
    .orderBy(...pageOrder(page, auditLog.at, auditLog.id))
    .offset(page.skip)
    .limit(page.limit);
  return { total: await db.$count(auditLog, matches), rows };
}
