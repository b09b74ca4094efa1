import { ApiError, type Register } from '@gptj-cloud/protocol';
import { and, eq, gt } from 'drizzle-orm';
import { type Caller, recordAudit } from '../../audit/audit-log.ts';
import type { AccountDeps } from '../account-deps.ts';
import { projectInvitations } from '../identity-tables.ts';
import { countAsking } from '../sessions/login-guard.ts';
import { createLink, deleteLinks, hasLink, useLink } from './account-link-store.ts';
import { FIRST_USER_ID } from './first-user.ts';
import type { User } from './user.ts';
import { findUser, findUserByLogin, insertUser, refuseTaken, updateUser } from './user-store.ts';

/** Make an account with a project of its own. Throws `registration_closed`, `already_exists`, `too_many_attempts`. */
export async function register(deps: AccountDeps, request: Register, caller: Caller): Promise<User> {
  const { db, clock, plans } = deps;
  await countAsking(db, clock(), 'register', caller.address);
  await refuseStranger(deps, request.email);
  const passwordHash = await deps.passwords.hash(request.password);
  const user = await db.transaction(async (tx) => {
    const { email, username } = request;
    const made = await insertUser(
      tx,
      { email, username, passwordHash, planId: plans.defaultPlan.id, verifiedAt: null },
      clock(),
    );
    await recordAudit(tx, clock(), caller, { action: 'user.register', subject: made.id, details: { username } });
    return made;
  });
  await sendVerification(deps, user);
  return user;
}

/** Send a link that proves the user's address. */
export async function sendVerification({ db, clock, mailer, publicUrl }: AccountDeps, user: User): Promise<void> {
  const token = await db.transaction((tx) => createLink(tx, 'verify_email', user, clock()));
  mailer.send({
    to: user.email,
    subject: 'Confirm your e-mail address',
    text: `Hello ${user.username},\n\nconfirm that this is your address within two days:\n\n${publicUrl()}/v2/auth/verify-email#${token}\n\nIf you did not register, do nothing.\n`,
  });
}

/** Use a link that proves an address. Throws `link_invalid`. */
export async function verifyEmail({ db, clock }: AccountDeps, token: string, caller: Caller): Promise<User> {
  return await db.transaction(async (tx) => {
    const { userId, email } = await useLink(tx, 'verify_email', token, clock());
    const user = await findUser(tx, userId);
    if (user === null || user.email !== email) throw new ApiError('link_invalid');
    await recordAudit(tx, clock(), { ...caller, userId }, { action: 'user.verify_email', subject: userId });
    return await updateUser(tx, userId, { verifiedAt: user.verifiedAt ?? clock() }, clock());
  });
}

/** What the environment says about the first owner. */
export interface OwnerSettings {
  readonly email: string;
  readonly username: string;
  readonly password: string;
}

/**
 * See that somebody can sign in as the first user. Until one can, the account is set up from the environment, or by a
 * link with the secret returned here: it is returned once, and again only when it has expired unused.
 */
export async function ensureOwner(deps: AccountDeps, owner: OwnerSettings | null): Promise<string | null> {
  const { db, clock } = deps;
  const user = await findUser(db, FIRST_USER_ID);
  if (user === null || user.passwordHash !== null) return null;
  if (owner !== null) {
    await takeFirstUser(deps, owner, SERVER);
    return null;
  }
  if (await hasLink(db, 'set_up', user.id, clock())) return null;
  return await db.transaction((tx) => createLink(tx, 'set_up', user, clock()));
}

/** Set the first user up by the link that the first start printed. Throws `link_invalid`, `already_exists`. */
export async function setUp(
  deps: AccountDeps,
  request: Register & { readonly token: string },
  caller: Caller,
): Promise<User> {
  return await takeFirstUser(deps, request, caller, request.token);
}

const SERVER: Caller = { userId: null, apiKeyId: null, address: '', requestId: 'start' };

async function takeFirstUser(deps: AccountDeps, owner: OwnerSettings, caller: Caller, token?: string): Promise<User> {
  const { db, clock } = deps;
  const passwordHash = await deps.passwords.hash(owner.password);
  return await db.transaction(async (tx) => {
    if (token !== undefined) await useLink(tx, 'set_up', token, clock());
    await deleteLinks(tx, ['set_up'], FIRST_USER_ID);
    const { email, username } = owner;
    await refuseTaken(tx, { email, username }, FIRST_USER_ID);
    await recordAudit(tx, clock(), caller, { action: 'user.set_up', subject: FIRST_USER_ID, details: { username } });
    // Whoever can set the server's environment, or read what it prints, needs no further proof of the address.
    return await updateUser(tx, FIRST_USER_ID, { email, username, passwordHash, verifiedAt: clock() }, clock());
  });
}

/** Refuse a new account that the settings do not want. Throws `registration_closed`. */
export async function refuseStranger(deps: AccountDeps, email: string): Promise<void> {
  const { registration } = deps.settings;
  if (registration === 'closed') {
    const remedy = 'nobody can register here, invited or not; an owner of the server can set REGISTRATION';
    throw new ApiError('registration_closed', { unless: '' }, { remedy });
  }
  if (registration === 'invited' && !(await isInvited(deps, email))) {
    throw new ApiError('registration_closed', { unless: ' but of those a project has invited' });
  }
}

async function isInvited({ db, clock }: AccountDeps, email: string): Promise<boolean> {
  const rows = await db
    .select({ id: projectInvitations.id })
    .from(projectInvitations)
    .where(and(eq(projectInvitations.email, email), gt(projectInvitations.expiresAt, clock())))
    .limit(1);
  return rows.length > 0;
}

/** Send a link to set the password anew, to an address that has an account; in any case, say nothing. */
export async function askPasswordReset(deps: AccountDeps, email: string, caller: Caller): Promise<void> {
  const { db, clock, mailer, publicUrl } = deps;
  await countAsking(db, clock(), 'reset', caller.address);
  const user = await findUserByLogin(db, email);
  if (user === null || user.email !== email) return;
  const token = await db.transaction(async (tx) => {
    await recordAudit(tx, clock(), caller, { action: 'user.password_reset_ask', subject: user.id });
    return await createLink(tx, 'reset_password', user, clock());
  });
  mailer.send({
    to: user.email,
    subject: 'Set a new password',
    text: `Hello ${user.username},\n\nset a new password within an hour:\n\n${publicUrl()}/v2/auth/reset-password#${token}\n\nIf you did not ask for this, do nothing.\n`,
  });
}
