import { ApiError, invalidParameter, type Proof } from '@gptj-cloud/protocol';
import { type Caller, recordAudit } from '../../audit/audit-log.ts';
import type { MailDeps, PasswordDeps } from '../account-deps.ts';
import { enforceRateLimit } from '../sessions/login-guard.ts';
import { confirmInPerson } from '../two-factor/two-factor.ts';
import { createLink, deleteLinks, findLink, useLink } from './account-link-store.ts';
import { confirmLinkOwner, type FollowedLink } from './link-owner.ts';
import type { User } from './user.ts';
import { findUser, findUserByLogin, lockUser, updateUser } from './user-store.ts';

/**
 * Mail a confirmation link to the new address and a notice to the present one. The address changes only when the link is
 * followed. Whether the new address already has an account is mailed to that address alone, never replied.
 *
 * Throws what `confirmInPerson` throws, `invalid_request` for the present address, `too_many_attempts`.
 */
export async function requestEmailChange(
  deps: MailDeps & PasswordDeps,
  user: User,
  { email, ...proof }: Proof & { readonly email: string },
  caller: Caller,
): Promise<void> {
  const { db, clock, mailer, publicUrl } = deps;
  await confirmInPerson(deps, user, proof, caller);
  // After the proof: a stolen session must not use up the requests of the user.
  await enforceRateLimit(db, clock(), 'email', user.id);
  if (email === user.email) throw invalidParameter('body->email', 'expected a new address, got the present one');
  const isTaken = (await findUserByLogin(db, email)) !== null;
  const token = await db.transaction(async (tx) => {
    const details = { to: email };
    await recordAudit(tx, clock(), caller, { action: 'user.email_change_ask', subject: user.id, details });
    return await createLink(tx, 'change_email', { id: user.id, email }, clock());
  });
  mailer.send({
    to: user.email,
    subject: 'A change of your e-mail address was requested',
    text: `Hello ${user.username},\n\na session signed in to your account on ${publicUrl()} requested to change your address to ${email}. It changes when the link that was sent there is followed.\n\nIf that was not you, change your password now: the link ends with it.\n`,
  });
  mailer.send({
    to: email,
    subject: 'Confirm your new e-mail address',
    text: isTaken
      ? `Hello,\n\na user of ${publicUrl()} requested to use this address for an account, but it already has one there. Nothing changes.\n`
      : `Hello ${user.username},\n\nconfirm within a day that this is your new address:\n\n${publicUrl()}/v2/auth/change-email#${token}\n\nIf you did not request this, do nothing.\n`,
  });
}

/**
 * Change the address by the mailed link, which also verifies it. Links that were sent to the old address end. Throws
 * `link_invalid`, what `confirmLinkOwner` throws, `account_disabled`, and `already_exists` when another account has taken
 * the address since.
 */
export async function confirmEmailChange(
  deps: MailDeps & PasswordDeps,
  link: FollowedLink,
  caller: Caller,
): Promise<User> {
  const { db, clock, mailer, publicUrl } = deps;
  const holder = await findUser(db, await findLink(db, 'change_email', link.token, clock()));
  if (holder === null) throw new ApiError('link_invalid');
  await confirmLinkOwner(deps, link, { userId: holder.id, passwordHash: holder.passwordHash });
  const { before, after } = await db.transaction(async (tx) => {
    const { userId, email } = await useLink(tx, 'change_email', link.token, clock());
    const user = await lockUser(tx, userId);
    if (user.disabledAt !== null) throw new ApiError('account_disabled');
    const changed = await updateUser(tx, userId, { email, verifiedAt: clock() }, clock());
    await deleteLinks(tx, ['verify_email', 'reset_password'], userId);
    const details = { from: user.email, to: email };
    await recordAudit(tx, clock(), { ...caller, userId }, { action: 'user.email_change', subject: userId, details });
    return { before: user, after: changed };
  });
  mailer.send({
    to: before.email,
    subject: 'Your e-mail address was changed',
    text: `Hello ${before.username},\n\nyour address on ${publicUrl()} is now ${after.email}; this one is no longer used.\n`,
  });
  return after;
}
