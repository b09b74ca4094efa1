import { ApiError, type Register } from '@gptj-cloud/protocol';
import { type Caller, recordAudit } from '../../audit/audit-log.ts';
import type { DeferDeps, MailDeps, PasswordDeps, RegistrationDeps } from '../account-deps.ts';
import { isInvited } from '../projects/project-store.ts';
import { hashSecret } from '../secret.ts';
import { refuseCommonPassword } from '../sessions/common-password.ts';
import { enforceRateLimit, isWithinRateLimit } from '../sessions/login-guard.ts';
import { createLink, findLink, useLink } from './account-link-store.ts';
import { confirmLinkOwner, type FollowedLink } from './link-owner.ts';
import {
  deletePendingRegistrations,
  findPendingRegistration,
  insertPendingRegistration,
} from './pending-registration-store.ts';
import type { User } from './user.ts';
import { findUser, findUserByLogin, insertUser, refuseTaken, updateUser } from './user-store.ts';

/**
 * Create an account with its first project. Where mail reaches users, the account begins when its address is confirmed:
 * the result is null whether or not the address is taken, and its owner gets a mail. Usernames are public, so a taken one is
 * refused in every case.
 *
 * Throws `registration_closed`, `already_exists`, `invalid_request` for a common password, `too_many_attempts`.
 */
export async function register(
  deps: RegistrationDeps & PasswordDeps & DeferDeps,
  request: Register,
  caller: Caller,
): Promise<User | null> {
  const { db, clock, plans, settings } = deps;
  await enforceRateLimit(db, clock(), 'register', caller.address);
  refuseCommonPassword('body->password', request.password, request);
  if (settings.sendsMail) {
    await registerByMail(deps, request, caller);
    return null;
  }
  await enforceRegistrationPolicy(deps, request.email);
  const passwordHash = await deps.passwords.hash(request.password);
  const user = await db.transaction(async (tx) => {
    const { email, username } = request;
    const inserted = await insertUser(
      tx,
      { email, username, passwordHash, planId: plans.defaultPlan.id, verifiedAt: null },
      clock(),
    );
    await recordAudit(tx, clock(), caller, { action: 'user.register', subject: inserted.id, details: { username } });
    return inserted;
  });
  await sendVerification(deps, user);
  return user;
}

/** Everything that depends on the address happens after the reply. */
async function registerByMail(
  deps: RegistrationDeps & PasswordDeps & DeferDeps,
  { email, username, password }: Register,
  caller: Caller,
): Promise<void> {
  const { db, clock, mailer, publicUrl, settings } = deps;
  if (settings.registration === 'closed') await enforceRegistrationPolicy(deps, email);
  await refuseTaken(db, { username });
  const passwordHash = await deps.passwords.hash(password);
  await deps.afterReply.add(async () => {
    if (!(await isWithinRateLimit(db, clock(), 'mail', hashSecret(email)))) return;
    if ((await findUserByLogin(db, email)) !== null) {
      mailer.send({
        to: email,
        subject: 'You already have an account',
        text: `Hello,\n\na registration on ${publicUrl()} named this address, which has an account there. Nothing changes. Sign in with it, or set a new password with "forgot password".\n\nIf you did not register, do nothing.\n`,
      });
      return;
    }
    if (settings.registration === 'invited' && !(await isInvited(db, email, clock()))) return;
    const token = await db.transaction(async (tx) => {
      const inserted = await insertPendingRegistration(tx, { email, username, passwordHash }, clock());
      const details = { username };
      if (inserted !== null)
        await recordAudit(tx, clock(), caller, { action: 'user.register_ask', subject: null, details });
      return inserted;
    });
    if (token !== null) sendConfirmation(deps, { email, username }, token);
  });
}

/** Mail another link to verify the address, unless it is verified. Throws `too_many_attempts`. */
export async function resendVerification(deps: MailDeps, user: User): Promise<void> {
  await enforceRateLimit(deps.db, deps.clock(), 'verify', user.id);
  if (user.verifiedAt === null) await sendVerification(deps, user);
}

/** Mail a link that verifies the user's address. */
async function sendVerification(deps: MailDeps, user: User): Promise<void> {
  const { db, clock } = deps;
  sendConfirmation(deps, user, await db.transaction((tx) => createLink(tx, 'verify_email', user, clock())));
}

function sendConfirmation(
  { mailer, publicUrl }: MailDeps,
  { email, username }: Pick<User, 'email' | 'username'>,
  token: string,
): void {
  mailer.send({
    to: email,
    subject: 'Confirm your e-mail address',
    text: `Hello ${username},\n\nconfirm that this is your address within two days, with the password that you registered with:\n\n${publicUrl()}/v2/auth/verify-email#${token}\n\nIf you did not register, do nothing.\n`,
  });
}

/**
 * Verify an address by its mailed link: of an account, or of a registration, which becomes an account. Throws
 * `link_invalid`, what `confirmLinkOwner` throws, and `already_exists` when the username or address has been taken since.
 */
export async function verifyEmail(
  deps: RegistrationDeps & PasswordDeps,
  link: FollowedLink,
  caller: Caller,
): Promise<User> {
  const { db, clock, plans } = deps;
  const pending = await findPendingRegistration(db, link.token, clock());
  if (pending !== null) {
    const { email, username, passwordHash } = pending;
    await confirmLinkOwner(deps, link, { userId: null, passwordHash });
    return await db.transaction(async (tx) => {
      if (!(await deletePendingRegistrations(tx, email))) throw new ApiError('link_invalid');
      const added = { email, username, passwordHash, planId: plans.defaultPlan.id, verifiedAt: clock() };
      const user = await insertUser(tx, added, clock());
      await recordAudit(tx, clock(), caller, { action: 'user.register', subject: user.id, details: { username } });
      return user;
    });
  }
  const holder = await findUser(db, await findLink(db, 'verify_email', link.token, clock()));
  if (holder === null) throw new ApiError('link_invalid');
  await confirmLinkOwner(deps, link, { userId: holder.id, passwordHash: holder.passwordHash });
  return await db.transaction(async (tx) => {
    const { userId, email } = await useLink(tx, 'verify_email', link.token, clock());
    const user = await findUser(tx, userId);
    if (user === null || user.email !== email) throw new ApiError('link_invalid');
    await recordAudit(tx, clock(), { ...caller, userId }, { action: 'user.verify_email', subject: userId });
    return await updateUser(tx, userId, { verifiedAt: user.verifiedAt ?? clock() }, clock());
  });
}

/** Refuse a new account that the registration policy does not allow. Throws `registration_closed`. */
export async function enforceRegistrationPolicy(
  { db, clock, settings: { registration } }: RegistrationDeps,
  email: string,
): Promise<void> {
  if (registration === 'closed') {
    const remedy = 'this server accepts no registrations, invited or not; an owner of the server can set REGISTRATION';
    throw new ApiError('registration_closed', { unless: '' }, { remedy });
  }
  if (registration === 'invited' && !(await isInvited(db, email, clock()))) {
    throw new ApiError('registration_closed', { unless: ' but of those a project has invited' });
  }
}
