import { ApiError, type UserPatch } from '@gptj-cloud/protocol';
import { count, eq } from 'drizzle-orm';
import { type Caller, recordAudit } from '../audit/audit-log.ts';
import { users } from '../store/accounts-tables.ts';
import type { AccountDeps } from './account-deps.ts';
import type { User } from './user.ts';
import { findUser, refuseTaken, updateUser } from './user-store.ts';

/** Change what people may change of themselves. Absent fields stay; null empties one. Throws `already_exists`. */
export async function changeProfile(
  { db, clock }: AccountDeps,
  user: User,
  patch: UserPatch,
  caller: Caller,
): Promise<User> {
  return await db.transaction(async (tx) => {
    const { username } = patch;
    if (username !== undefined) await refuseTaken(tx, { username }, user.id);
    const kept = <Value>(given: Value | undefined, now: Value): Value => (given === undefined ? now : given);
    const changed = await updateUser(
      tx,
      user.id,
      {
        username: username ?? user.username,
        firstname: kept(patch.firstname, user.firstname),
        lastname: kept(patch.lastname, user.lastname),
        company: kept(patch.company, user.company),
        jobTitle: kept(patch.job_title, user.jobTitle),
      },
      clock(),
    );
    const details = { fields: Object.keys(patch) };
    await recordAudit(tx, clock(), caller, { action: 'user.update', subject: user.id, details });
    return changed;
  });
}

/** Make somebody an owner of the server, or no longer one. Throws `not_found`, and `conflict` for the last owner. */
export async function changeRole(
  { db, clock }: AccountDeps,
  change: { readonly id: string; readonly role: 'owner' | 'member' },
  caller: Caller,
): Promise<User> {
  const { id, role } = change;
  return await db.transaction(async (tx) => {
    // Of two that step down at once, the second waits here and then finds the first gone.
    await tx.select({ id: users.id }).from(users).where(eq(users.role, 'owner')).for('update');
    const user = await findUser(tx, id);
    if (user === null) throw new ApiError('not_found', { kind: 'user', id: id.slice(0, 100) });
    const owners = await tx.select({ total: count() }).from(users).where(eq(users.role, 'owner'));
    if (user.role === 'owner' && role !== 'owner' && owners[0]?.total === 1) {
      throw new ApiError('conflict', { reason: 'the last owner stays', remedy: 'make somebody else an owner first' });
    }
    await recordAudit(tx, clock(), caller, {
      action: 'user.role',
      subject: id,
      details: { from: user.role, to: role },
    });
    return await updateUser(tx, id, { role }, clock());
  });
}
