import { ApiError, type UserAdminPatch, type UserPatch } from '@gptj-cloud/protocol';
import { type Caller, recordAudit } from '../../audit/audit-log.ts';
import type { AccountDeps } from '../account-deps.ts';
import { deleteSessions } from '../sessions/session-store.ts';
import { deleteLinks } from './account-link-store.ts';
import type { User } from './user.ts';
import { lockUser, refuseLastOwner, refuseTaken, updateUser } from './user-store.ts';

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

/**
 * What owners of the server do to an account: make somebody an owner, or no longer one; close the account, or open it
 * again. Sessions of a closed account end, and so does every link that could open it; its tokens are refused for as long
 * as it is closed. Throws `not_found`, and `conflict` for the last owner and for closing one's own account.
 */
export async function administerUser(
  { db, clock }: AccountDeps,
  id: string,
  { role, disabled }: UserAdminPatch,
  caller: Caller,
): Promise<User> {
  return await db.transaction(async (tx) => {
    if (disabled === true && id === caller.userId) {
      throw new ApiError('conflict', { reason: 'nobody disables their own account', remedy: 'ask another owner' });
    }
    if (role === 'member' || disabled === true) await refuseLastOwner(tx, id);
    const before = await lockUser(tx, id);
    let after = before;
    if (role !== undefined) {
      after = await updateUser(tx, id, { role }, clock());
      const details = { from: before.role, to: role };
      await recordAudit(tx, clock(), caller, { action: 'user.role', subject: id, details });
    }
    if (disabled === true && before.disabledAt === null) {
      after = await updateUser(tx, id, { disabledAt: clock() }, clock());
      await deleteSessions(tx, id, null);
      await deleteLinks(tx, ['verify_email', 'reset_password', 'change_email', 'oauth_code'], id);
      await recordAudit(tx, clock(), caller, { action: 'user.disable', subject: id });
    }
    if (disabled === false && before.disabledAt !== null) {
      after = await updateUser(tx, id, { disabledAt: null }, clock());
      await recordAudit(tx, clock(), caller, { action: 'user.enable', subject: id });
    }
    return after;
  });
}
