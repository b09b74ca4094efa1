import type { AuditAction, AuditEntryGet, PageQuery, Paginated } from '@gptj-cloud/protocol';
import { toTimestamp } from '@gptj-cloud/protocol';
import type { Database } from '../store/db.ts';
import { toPaginated } from '../store/page.ts';
import { countRepeat } from './audit-repeats.ts';
import { type AuditFilter, type AuditRow, findAuditEntries, insertAuditEntry } from './audit-store.ts';

/** Who made a request, and from where. */
export interface Caller {
  /** Null: not signed in, or the server itself. */
  readonly userId: string | null;
  readonly apiKeyId: string | null;
  /** The session of the request, when it came with one. */
  readonly sessionId?: string;
  /** Network address; empty when unknown. */
  readonly address: string;
  readonly requestId: string;
}

export interface AuditEvent {
  readonly action: AuditAction;
  /** Id of the object of the action. */
  readonly subject: string | null;
  readonly projectId?: string;
  /** Never passwords, tokens or links. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * Add an entry, in the transaction of the change, so that neither is stored without the other. Entries never change.
 * Throws `too_many_changes` when the user has made too many of this kind within an hour.
 */
export async function recordAudit(db: Database, at: Date, caller: Caller, event: AuditEvent): Promise<void> {
  const line = await countRepeat(db, at, caller, event.action);
  if (line === null) return;
  await insertAuditEntry(db, {
    at,
    userId: caller.userId,
    apiKeyId: caller.apiKeyId,
    action: event.action,
    subject: event.subject,
    projectId: event.projectId ?? null,
    address: caller.address === '' ? null : caller.address,
    requestId: caller.requestId,
    details: JSON.stringify({ ...event.details, ...(line.unlisted === 0 ? {} : { unlisted_before: line.unlisted }) }),
  });
}

/** A page of the log, of the whole server or of one project. */
export async function listAudit(
  db: Database,
  page: PageQuery<'created_at'>,
  filter: AuditFilter,
): Promise<Paginated<AuditEntryGet>> {
  return toPaginated(page, await findAuditEntries(db, page, filter), toEntry);
}

function toEntry(row: AuditRow): AuditEntryGet {
  const details: unknown = JSON.parse(row.details);
  return {
    id: row.id,
    at: toTimestamp(row.at),
    user_id: row.userId,
    token_id: row.apiKeyId,
    action: row.action,
    subject: row.subject,
    project_id: row.projectId,
    address: row.address,
    request_id: row.requestId,
    details: typeof details === 'object' && details !== null ? { ...details } : {},
  };
}
