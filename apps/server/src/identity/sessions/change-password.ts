import { type Caller, recordAudit } from '../../audit/audit-log.ts';
import type { MailDeps, PasswordDeps } from '../account-deps.ts';
import { deleteKeysOf } from '../api-keys/api-key-store.ts';
import { notify } from '../notices.ts';
import { deleteLinks } from '../users/account-link-store.ts';
import type { User } from '../users/user.ts';
import { updateUser } from '../users/user-store.ts';
import { refuseCommonPassword } from './common-password.ts';
import { deviceSecret, forgetDevices, rememberDevice } from './known-device-store.ts';
import { deleteSessions } from './session-store.ts';

export interface PasswordChange {
  readonly next: string;
  readonly sessionId: string;
  /** Value of the browser's device cookie, or null. */
  readonly device: string | null;
  /** Whether the user's API tokens end as well. */
  readonly revokeTokens: boolean;
}

/**
 * Change the password of a user who has confirmed the old one. Ends every other session, pending changes of address and
 * password, and knowledge of other devices. Returns the value of the device cookie.
 */
export async function changePassword(
  deps: MailDeps & PasswordDeps,
  user: User,
  { next, sessionId, device: given, revokeTokens }: PasswordChange,
  caller: Caller,
): Promise<string> {
  const { db, clock } = deps;
  refuseCommonPassword('body->new_password', next, user);
  const passwordHash = await deps.passwords.hash(next);
  const device = deviceSecret(given);
  await db.transaction(async (tx) => {
    await updateUser(tx, user.id, { passwordHash }, clock());
    await deleteSessions(tx, user.id, sessionId);
    await deleteLinks(tx, ['reset_password', 'change_email', 'oauth_code'], user.id);
    await forgetDevices(tx, user.id);
    await rememberDevice(tx, user.id, { device, address: caller.address }, clock());
    const details = revokeTokens ? { tokens: await deleteKeysOf(tx, user.id) } : {};
    await recordAudit(tx, clock(), caller, { action: 'user.password_change', subject: user.id, details });
  });
  notify(deps, user, 'password_changed');
  return device;
}
