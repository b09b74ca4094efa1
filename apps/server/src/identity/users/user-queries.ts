import { ApiError, type AuditEntryGet, type PageQuery, type Paginated } from '@gptj-cloud/protocol';
import { listAudit } from '../../audit/audit-log.ts';
import type { AuditFilter } from '../../audit/audit-store.ts';
import { toPaginated } from '../../store/page.ts';
import type { StoreDeps } from '../account-deps.ts';
import type { User } from './user.ts';
import { findUser, listUsers } from './user-store.ts';

/** Throws `not_found`. */
export async function getUser({ db }: StoreDeps, id: string): Promise<User> {
  const user = await findUser(db, id);
  if (user === null) throw new ApiError('not_found', { kind: 'user', id: id.slice(0, 100) });
  return user;
}

/** A page of all users of the server. */
export async function getUsers({ db }: StoreDeps, page: PageQuery<'created_at'>): Promise<Paginated<User>> {
  return toPaginated(page, await listUsers(db, page), (user) => user);
}

/** A page of the audit log of the server. */
export async function getAuditLog(
  { db }: StoreDeps,
  page: PageQuery<'created_at'>,
  filter: AuditFilter,
): Promise<Paginated<AuditEntryGet>> {
  return await listAudit(db, page, filter);
}
