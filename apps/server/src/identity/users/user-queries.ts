import { ApiError, type AuditEntryGet, type PageQuery, type Paginated } from '@gptj-cloud/protocol';
import { listAudit } from '../../audit/audit-log.ts';
import type { AuditFilter } from '../../audit/audit-store.ts';
import { toPaginated } from '../../store/page.ts';
import type { StoreDeps } from '../account-deps.ts';
import type { User } from './user.ts';
import { countAllUsers, findLastSeen, findUser, listUsers, type UserCounts, type UserFilter } from './user-store.ts';

/** Throws `not_found`. */
export async function getUser({ db }: StoreDeps, id: string): Promise<User> {
  const user = await findUser(db, id);
  if (user === null) throw new ApiError('not_found', { kind: 'user', id: id.slice(0, 100) });
  return user;
}

/** A user, and the last request of it in a session or by a token. */
export interface SeenUser {
  readonly user: User;
  readonly lastSeenAt: Date | null;
}

/** A page of the users of the server. */
export async function getUsers(
  { db }: StoreDeps,
  page: PageQuery<'created_at'>,
  filter: UserFilter,
): Promise<Paginated<SeenUser>> {
  const found = await listUsers(db, page, filter);
  const seen = await findLastSeen(
    db,
    found.rows.map(({ id }) => id),
  );
  return toPaginated(page, found, (user) => ({ user, lastSeenAt: seen.get(user.id) ?? null }));
}

/** Counts of all users; those with a request since midnight UTC are active. */
export async function countUsers({ db, clock }: StoreDeps): Promise<UserCounts> {
  const today = new Date(clock());
  today.setUTCHours(0, 0, 0, 0);
  return await countAllUsers(db, today);
}

/** A page of the audit log of the server. */
export async function getAuditLog(
  { db }: StoreDeps,
  page: PageQuery<'created_at'>,
  filter: AuditFilter,
): Promise<Paginated<AuditEntryGet>> {
  return await listAudit(db, page, filter);
}
