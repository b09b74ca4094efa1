import { ApiError } from '@gptj-cloud/protocol';
import { type Caller, recordAudit } from '../../audit/audit-log.ts';
import type { AccountDeps } from '../account-deps.ts';
import { deleteKeysOf } from '../api-keys/api-key-store.ts';
import { deleteLinks, useLink } from '../users/account-link-store.ts';
import type { User } from '../users/user.ts';
import { findUser, updateUser } from '../users/user-store.ts';
import { deleteSessions } from './session-store.ts';

/**
 * Set a password by the link that was mailed. Every session ends, and a change of address that somebody has begun;
 * two-factor stays on. The link proves the address, too: where nobody had proved it before, whoever made the account may
 * have been somebody else, and their API tokens and second factor end with it. Throws `link_invalid`.
 */
export async function resetPassword(
  deps: AccountDeps,
  { token, password }: { readonly token: string; readonly password: string },
  caller: Caller,
): Promise<void> {
  const { db, clock } = deps;
  const passwordHash = await deps.passwords.hash(password);
  await db.transaction(async (tx) => {
    const { userId, email } = await useLink(tx, 'reset_password', token, clock());
    const user = await findUser(tx, userId);
    if (user === null || user.email !== email) throw new ApiError('link_invalid');
    const strangers = user.verifiedAt === null ? { totpEnabled: false, totpSecret: null, totpLastStep: null } : {};
    if (user.verifiedAt === null) await deleteKeysOf(tx, userId);
    await updateUser(tx, userId, { passwordHash, verifiedAt: user.verifiedAt ?? clock(), ...strangers }, clock());
    await deleteSessions(tx, userId, null);
    await deleteLinks(tx, ['change_email'], userId);
    await recordAudit(tx, clock(), { ...caller, userId }, { action: 'user.password_reset', subject: userId });
  });
}

/**
 * Set the password of somebody who has proved to be there. Every other session ends, and a change of address that was
 * begun.
 */
export async function changePassword(
  deps: AccountDeps,
  user: User,
  change: { readonly next: string; readonly sessionId: string },
  caller: Caller,
): Promise<void> {
  const { db, clock } = deps;
  const passwordHash = await deps.passwords.hash(change.next);
  await db.transaction(async (tx) => {
    await updateUser(tx, user.id, { passwordHash }, clock());
    await deleteSessions(tx, user.id, change.sessionId);
    await deleteLinks(tx, ['reset_password', 'change_email'], user.id);
    await recordAudit(tx, clock(), caller, { action: 'user.password_change', subject: user.id });
  });
}
