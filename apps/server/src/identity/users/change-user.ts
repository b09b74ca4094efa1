import { ApiError, type PreferencesPatch, type UserAdminPatch, type UserPatch } from '@gptj-cloud/protocol';
import { type Caller, recordAudit } from '../../audit/audit-log.ts';
import type { Database } from '../../store/db.ts';
import type { MailDeps, StoreDeps } from '../account-deps.ts';
import { notify } from '../notices.ts';
import { enforceRateLimit } from '../sessions/login-guard.ts';
import { deleteSessions } from '../sessions/session-store.ts';
import { deleteLinks } from './account-link-store.ts';
import { preferencesOf, type User } from './user.ts';
import { lockUser, refuseLastOwner, refuseTaken, updateUser } from './user-store.ts';

/** Change the fields of a profile that its user may change. Absent fields stay; null clears one. Throws `already_exists`. */
export async function changeProfile(
  { db, clock }: StoreDeps,
  user: User,
  patch: UserPatch,
  caller: Caller,
): Promise<User> {
  // Whether a username is taken can be seen; the limit keeps it from being asked for many.
  if (patch.username !== undefined) await enforceRateLimit(db, clock(), 'username', user.id);
  return await db.transaction(async (tx) => {
    const { username } = patch;
    if (username !== undefined) await refuseTaken(tx, { username }, user.id);
    const patched = <Value>(given: Value | undefined, present: Value): Value => (given === undefined ? present : given);
    const changed = await updateUser(
      tx,
      user.id,
      {
        username: username ?? user.username,
        firstname: patched(patch.firstname, user.firstname),
        lastname: patched(patch.lastname, user.lastname),
        company: patched(patch.company, user.company),
        jobTitle: patched(patch.job_title, user.jobTitle),
        ...(patch.preferences === undefined
          ? {}
          : { preferences: await mergedPreferences(tx, user.id, patch.preferences) }),
      },
      clock(),
    );
    const fields = Object.keys(patch).filter((field) => field !== 'preferences');
    // Preferences change often, and nothing depends on them.
    if (fields.length === 0) return changed;
    const details = { fields };
    await recordAudit(tx, clock(), caller, { action: 'user.update', subject: user.id, details });
    return changed;
  });
}

/** JSON of a user's preferences after a change. Null clears a field. Locks the user: two tabs may change different fields. */
async function mergedPreferences(tx: Database, userId: string, patch: PreferencesPatch): Promise<string | null> {
  const merged = { ...preferencesOf(await lockUser(tx, userId)), ...patch };
  const chosen = Object.entries(merged).filter(([, value]) => value !== null && value !== undefined);
  return chosen.length === 0 ? null : JSON.stringify(Object.fromEntries(chosen));
}

/**
 * Change the role of an account, or disable or enable it, for owners of the server. Disabling ends every
 * link that could open the account; its sessions and tokens are refused until it is enabled, which ends the sessions. Throws `not_found`, and `conflict` for
 * the last owner and for disabling the caller's own account.
 */
export async function administerUser(
  deps: MailDeps,
  id: string,
  { role, disabled }: UserAdminPatch,
  caller: Caller,
): Promise<User> {
  const { db, clock } = deps;
  const changed = await db.transaction(async (tx) => {
    if (disabled === true && id === caller.userId) {
      throw new ApiError('conflict', { reason: 'you cannot disable your own account', remedy: 'ask another owner' });
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
      await deleteLinks(tx, ['verify_email', 'reset_password', 'change_email', 'oauth_code'], id);
      await recordAudit(tx, clock(), caller, { action: 'user.disable', subject: id });
    }
    if (disabled === false && before.disabledAt !== null) {
      after = await updateUser(tx, id, { disabledAt: null }, clock());
      // Until now they gave the user the reason; an account does not come back with sessions that someone else may have.
      await deleteSessions(tx, id, null);
      await recordAudit(tx, clock(), caller, { action: 'user.enable', subject: id });
    }
    return after;
  });
  if (role !== undefined) {
    notify(deps, changed, 'role_changed', { role: role === 'owner' ? 'an owner of the server' : 'a member' });
  }
  return changed;
}
