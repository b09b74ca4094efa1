import { ApiError } from '@gptj-cloud/protocol';
import { type Caller, recordAudit } from '../../audit/audit-log.ts';
import type { PasswordDeps } from '../account-deps.ts';
import { deleteKeysOf } from '../api-keys/api-key-store.ts';
import { deleteLinks, findLink, useLink } from '../users/account-link-store.ts';
import type { User } from '../users/user.ts';
import { findUser, updateUser } from '../users/user-store.ts';
import { deleteSessions } from './session-store.ts';

/**
 * Set a password by the mailed link. Ends every session and a pending change of address; two-factor stays on. The link
 * also verifies the address: if it was unverified, an attacker may have created the account, so API tokens and the second
 * factor end with it. Throws `link_invalid`.
 */
export async function resetPassword(
  deps: PasswordDeps,
  { token, password }: { readonly token: string; readonly password: string },
  caller: Caller,
): Promise<void> {
  const { db, clock } = deps;
  // A hash costs a core's tenths of a second, so the link is looked at first; the transaction uses it up.
  await findLink(db, 'reset_password', token, clock());
  const passwordHash = await deps.passwords.hash(password);
  await db.transaction(async (tx) => {
    const { userId, email } = await useLink(tx, 'reset_password', token, clock());
    const user = await findUser(tx, userId);
    if (user === null || user.email !== email) throw new ApiError('link_invalid');
    const isFirstProof = user.verifiedAt === null;
    const noSecondFactor = isFirstProof ? { totpEnabled: false, totpSecret: null, totpLastStep: null } : {};
    if (isFirstProof) await deleteKeysOf(tx, userId);
    await updateUser(tx, userId, { passwordHash, verifiedAt: user.verifiedAt ?? clock(), ...noSecondFactor }, clock());
    await deleteSessions(tx, userId, null);
    await deleteLinks(tx, ['change_email'], userId);
    await recordAudit(tx, clock(), { ...caller, userId }, { action: 'user.password_reset', subject: userId });
  });
}

/** Change the password of a user who has confirmed the old one. Ends every other session and a pending change of address. */
export async function changePassword(
  deps: PasswordDeps,
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
