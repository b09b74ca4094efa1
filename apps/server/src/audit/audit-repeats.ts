/**
 * Bounds the noise in the audit log, which no one can shorten. Repeats of an action by one actor are counted for an hour:
 *
 * - A user's changes are refused beyond a maximum, so that every change that is made has its line.
 * - Events that others can cause, such as failed sign-ins, cannot be refused. Beyond the first ones in an hour, only some
 *   have a line, which states how many had none before it.
 * - What owners of the server do to accounts always has a line.
 */
import { ApiError, type AuditAction } from '@gptj-cloud/protocol';
import type { Database } from '../store/db.ts';
import type { Caller } from './audit-log.ts';
import { findRepeats, saveRepeats } from './audit-store.ts';

/** Changes of one kind that a user makes within an hour. */
const MAX_CHANGES = 120;
/** Invitations: a project may have 200 members. */
const MAX_INVITATIONS = 240;
/** Events of one kind that all have a line; then those whose number doubles the number before. */
const MAX_LISTED = 20;
const HOUR_MS = 3_600_000;

/** Events without a change, and changes that protect an account: they are never refused. */
const COALESCED: ReadonlySet<AuditAction> = new Set<AuditAction>([
  'user.set_up',
  'user.register_ask',
  'user.register',
  'user.delete',
  'user.email_change',
  'user.verify_email',
  'user.sign_in',
  'user.sign_in_failed',
  'user.sign_out',
  'user.password_change',
  'user.password_reset_ask',
  'user.password_reset',
  'user.recovery_code_used',
  'session.end',
  'token.delete',
]);
const ALWAYS: ReadonlySet<AuditAction> = new Set<AuditAction>([
  'user.role',
  'user.plan',
  'user.disable',
  'user.enable',
  'server.backup',
  'server.maintenance',
  'server.run_cancel',
]);

/** The line to write: `unlisted` events of the same kind had none before it. Null: this event has no line. */
export type AuditLine = { readonly unlisted: number } | null;

/** Count an action of an actor. Throws `too_many_changes`. */
export async function countRepeat(db: Database, at: Date, caller: Caller, action: AuditAction): Promise<AuditLine> {
  if (ALWAYS.has(action)) return { unlisted: 0 };
  const actor = caller.userId ?? caller.address;
  const before = await findRepeats(db, actor, action);
  const ageMs = before === null ? HOUR_MS : at.getTime() - before.since.getTime();
  // A clock that was set back must not keep the count for longer.
  const isOld = before === null || ageMs >= HOUR_MS || ageMs < 0;
  const count = isOld ? 1 : before.count + 1;
  const isRefusable = caller.userId !== null && !COALESCED.has(action);
  const max = action === 'project.invite' ? MAX_INVITATIONS : MAX_CHANGES;
  if (isRefusable && count > max) {
    const retryAfterSeconds = Math.max(1, Math.ceil((HOUR_MS - ageMs) / 1000));
    throw new ApiError('too_many_changes', { action, limit: max }, { retryAfterSeconds });
  }
  const unlisted = before === null ? 0 : before.count - before.listed;
  const hasLine = isRefusable || count <= MAX_LISTED || isDoubled(count);
  const listed = hasLine ? count : (before?.listed ?? 0);
  await saveRepeats(db, { actor, action, since: isOld ? at : before.since, count, listed });
  return hasLine ? { unlisted } : null;
}

/** Whether a count is MAX_LISTED times a power of two. */
function isDoubled(count: number): boolean {
  return Number.isInteger(Math.log2(count / MAX_LISTED));
}
