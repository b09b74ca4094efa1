/**
 * Recovery: a new password by a mailed link. Everyone who had the account before must lose it, so recovery also ends what
 * existed before: sessions, tokens, links, known devices, linked identities, and what gives others access to the user's
 * projects, which are members, invitations and webhooks.
 */
import { ApiError, type Recovery, type RecoveryKeep, type ResetPassword } from '@gptj-cloud/protocol';
import { type Caller, recordAudit } from '../../audit/audit-log.ts';
import type { Database } from '../../store/db.ts';
import type { ContentsDeps, DeferDeps, MailDeps, PasswordDeps } from '../account-deps.ts';
import { deleteKeysOf } from '../api-keys/api-key-store.ts';
import { notify } from '../notices.ts';
import { deleteIdentities } from '../oauth/identity-store.ts';
import { leaveProjects, lockOwnedProjects, severProjects } from '../projects/project-store.ts';
import { refuseCommonPassword } from '../sessions/common-password.ts';
import { deviceSecret, forgetDevices, rememberDevice } from '../sessions/known-device-store.ts';
import { clearFailures, enforceRateLimit } from '../sessions/login-guard.ts';
import { deleteSessions } from '../sessions/session-store.ts';
import { deleteRecoveryCodes } from '../two-factor/two-factor-store.ts';
import { addLink, deleteAllLinks, findLink, useLink } from './account-link-store.ts';
import type { User } from './user.ts';
import { findUser, findUserByLogin, lockUser, updateUser } from './user-store.ts';

/**
 * Mail a link to set a new password, if the address has an account, after the reply. The caller cannot see whether it has.
 * Earlier links stay valid: a request of another person must not end the one that the user is about to follow. Throws
 * `too_many_attempts`.
 */
export async function sendPasswordReset(deps: MailDeps & DeferDeps, email: string, caller: Caller): Promise<void> {
  const { db, clock, mailer, publicUrl } = deps;
  await enforceRateLimit(db, clock(), 'reset', caller.address);
  await deps.afterReply.add(async () => {
    const user = await findUserByLogin(db, email);
    if (user === null || user.email !== email) return;
    const token = await db.transaction(async (tx) => {
      const added = await addLink(tx, 'reset_password', user, clock());
      if (added !== null) {
        await recordAudit(tx, clock(), caller, { action: 'user.password_reset_ask', subject: user.id });
      }
      return added;
    });
    if (token === null) return;
    mailer.send({
      to: user.email,
      subject: 'Set a new password',
      text: `Hello ${user.username},\n\nset a new password within an hour:\n\n${publicUrl()}/v2/auth/reset-password#${token}\n\nThe new password ends what had access to the account before. If you did not request this, do nothing.\n`,
    });
  });
}

/** A recovered account: what has ended, and the value of a device cookie that keeps its owner from being locked out. */
export interface Recovered {
  readonly ended: Recovery['ended'];
  readonly device: string;
}

/**
 * Set a password by the mailed link, and end what was made before; two-factor of a verified account stays on. The link also
 * verifies the address. If it was unverified, an attacker may have created the account: then two-factor and memberships in
 * projects of others end as well, and `keep` has no effect. Throws `link_invalid`.
 */
export async function resetPassword(
  deps: ContentsDeps & MailDeps & PasswordDeps,
  { token, password, keep = [] }: ResetPassword,
  caller: Caller,
): Promise<Recovered> {
  const { db, clock } = deps;
  const holder = await findUser(db, await findLink(db, 'reset_password', token, clock()));
  if (holder === null) throw new ApiError('link_invalid');
  refuseCommonPassword('body->password', password, holder);
  const passwordHash = await deps.passwords.hash(password);
  const { user, ...recovered } = await db.transaction(async (tx) => {
    const { userId, email } = await useLink(tx, 'reset_password', token, clock());
    const user = await lockUser(tx, userId);
    if (user.email !== email) throw new ApiError('link_invalid');
    const ended = await endAccess(tx, deps, user, user.verifiedAt === null ? [] : keep);
    await updateUser(tx, userId, { passwordHash, verifiedAt: user.verifiedAt ?? clock() }, clock());
    await clearFailures(tx, user);
    const device = deviceSecret(null);
    await rememberDevice(tx, userId, { device, address: caller.address }, clock());
    const signer = { ...caller, userId };
    await recordAudit(tx, clock(), signer, { action: 'user.password_reset', subject: userId, details: { ...ended } });
    return { user, ended, device };
  });
  notify(deps, user, 'password_reset', { ended: describe(recovered.ended) });
  return recovered;
}

/** End everything that gives access to an account or its projects, except `kept`. Returns how much there was of each. */
async function endAccess(
  tx: Database,
  { clock, contents }: ContentsDeps,
  user: User,
  kept: readonly RecoveryKeep[],
): Promise<Recovery['ended']> {
  const isFirstProof = user.verifiedAt === null;
  const hadTwoFactor = isFirstProof && user.totpEnabled;
  if (isFirstProof) {
    await updateUser(tx, user.id, { totpEnabled: false, totpSecret: null, totpLastStep: null }, clock());
    await deleteRecoveryCodes(tx, user.id);
  }
  await forgetDevices(tx, user.id);
  await deleteAllLinks(tx, user.id);
  const projectIds = (await lockOwnedProjects(tx, user.id)).map(({ id }) => id);
  const others = kept.includes('members')
    ? { members: 0, invitations: 0 }
    : await severProjects(tx, user.id, projectIds);
  return {
    sessions: await deleteSessions(tx, user.id, null),
    tokens: kept.includes('tokens') ? 0 : await deleteKeysOf(tx, user.id),
    identities: kept.includes('identities') ? 0 : await deleteIdentities(tx, user.id),
    webhooks: kept.includes('webhooks') ? 0 : await contents.deleteWebhooks(tx, projectIds),
    ...others,
    memberships: isFirstProof ? await leaveProjects(tx, user.id) : 0,
    two_factor: hadTwoFactor,
  };
}

function describe({ two_factor: hadTwoFactor, ...counts }: Recovery['ended']): string {
  const lines = Object.entries(counts).map(([what, count]) => `${what}: ${count}`);
  return [...lines, `two-factor sign-in: ${hadTwoFactor ? 'turned off' : 'unchanged'}`].join('\n');
}
