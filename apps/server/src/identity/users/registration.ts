import { ApiError, type Register } from '@gptj-cloud/protocol';
import { type Caller, recordAudit } from '../../audit/audit-log.ts';
import type { MailDeps, PasswordDeps, RegistrationDeps, StoreDeps } from '../account-deps.ts';
import { isInvited } from '../projects/project-store.ts';
import { enforceRateLimit } from '../sessions/login-guard.ts';
import { createLink, useLink } from './account-link-store.ts';
import type { User } from './user.ts';
import { findUser, findUserByLogin, insertUser, updateUser } from './user-store.ts';

/** Create an account with its first project. Throws `registration_closed`, `already_exists`, `too_many_attempts`. */
export async function register(
  deps: RegistrationDeps & PasswordDeps,
  request: Register,
  caller: Caller,
): Promise<User> {
  const { db, clock, plans } = deps;
  await enforceRateLimit(db, clock(), 'register', caller.address);
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

/** Mail another link to verify the address, unless it is verified. Throws `too_many_attempts`. */
export async function resendVerification(deps: MailDeps, user: User): Promise<void> {
  await enforceRateLimit(deps.db, deps.clock(), 'verify', user.id);
  if (user.verifiedAt === null) await sendVerification(deps, user);
}

/** Mail a link that verifies the user's address. */
async function sendVerification({ db, clock, mailer, publicUrl }: MailDeps, user: User): Promise<void> {
  const token = await db.transaction((tx) => createLink(tx, 'verify_email', user, clock()));
  mailer.send({
    to: user.email,
    subject: 'Confirm your e-mail address',
    text: `Hello ${user.username},\n\nconfirm that this is your address within two days:\n\n${publicUrl()}/v2/auth/verify-email#${token}\n\nIf you did not register, do nothing.\n`,
  });
}

/** Verify an address by its mailed link. Throws `link_invalid`. */
export async function verifyEmail({ db, clock }: StoreDeps, token: string, caller: Caller): Promise<User> {
  return await db.transaction(async (tx) => {
    const { userId, email } = await useLink(tx, 'verify_email', token, clock());
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

/** Mail a link to set a new password, if the address has an account. The caller cannot see whether it has. */
export async function sendPasswordReset(deps: MailDeps, email: string, caller: Caller): Promise<void> {
  const { db, clock, mailer, publicUrl } = deps;
  await enforceRateLimit(db, clock(), 'reset', caller.address);
  const user = await findUserByLogin(db, email);
  if (user === null || user.email !== email) return;
  const token = await db.transaction(async (tx) => {
    await recordAudit(tx, clock(), caller, { action: 'user.password_reset_ask', subject: user.id });
    return await createLink(tx, 'reset_password', user, clock());
  });
  mailer.send({
    to: user.email,
    subject: 'Set a new password',
    text: `Hello ${user.username},\n\nset a new password within an hour:\n\n${publicUrl()}/v2/auth/reset-password#${token}\n\nIf you did not request this, do nothing.\n`,
  });
}
