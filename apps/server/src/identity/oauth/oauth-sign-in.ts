/**
 * Signing in by somebody else's word. A browser is sent to a provider and comes back with proof of who its user is
 * there; that identity is linked to an account here, or gets one:
 *
 * - an identity that is linked signs its account in;
 * - an address that the provider has verified, and that nobody has here, becomes a new account, if registration allows;
 * - an account with that address is linked when it has proved the address, too. One that has not might have been made
 *   by somebody else, to wait for its owner;
 * - somebody who is signed in links what they like to their own account.
 *
 * Two-factor of the account holds in any case, and a disabled account stays closed.
 */
import { ApiError } from '@gptj-cloud/protocol';
import { type Caller, recordAudit } from '../../audit/audit-log.ts';
import type { Database } from '../../store/db.ts';
import type { AccountDeps } from '../account-deps.ts';
import { beginAttempt, enforceRateLimit, refundRateLimit } from '../sessions/login-guard.ts';
import { findSessionUser } from '../sessions/session-store.ts';
import { beginSession, type SignedIn } from '../sessions/sign-in.ts';
import { checkSecondFactor } from '../sessions/two-factor.ts';
import { createLink, findLink, useLink } from '../users/account-link-store.ts';
import { FIRST_USER_ID } from '../users/first-user.ts';
import { enforceRegistrationPolicy } from '../users/registration.ts';
import type { User } from '../users/user.ts';
import { findUser, findUserByLogin, freeUsername, insertUser } from '../users/user-store.ts';
import { findUserByIdentity, insertIdentity, noteIdentityUse } from './identity-store.ts';
import { describeOAuthError } from './oauth-client.ts';
import { insertFlow, takeFlow } from './oauth-flow-store.ts';
import type { OAuthProvider, ProviderIdentity } from './oauth-provider.ts';

/** A browser that came back. */
export interface OAuthReturn {
  readonly provider: string;
  /** What its cookie holds. */
  readonly browser: string;
  readonly query: URLSearchParams;
  readonly userAgent: string;
}

/** Signed in; or a second factor is needed, and `token` stands for the first; or linked to the account signed in. */
export type OAuthOutcome =
  | { readonly kind: 'signed_in'; readonly signedIn: SignedIn }
  | { readonly kind: 'code_needed'; readonly token: string }
  | { readonly kind: 'linked' };

/** Where to send a browser. `sessionId`: who is signed in there wants to link. Throws `not_found`, `oauth_unavailable`. */
export async function beginOAuth(
  deps: AccountDeps,
  begun: { readonly provider: string; readonly browser: string; readonly sessionId: string | null },
  caller: Caller,
): Promise<URL> {
  const { db, clock } = deps;
  const provider = findProvider(deps, begun.provider);
  await enforceRateLimit(db, clock(), 'oauth', caller.address);
  const redirectUri = redirectUriOf(deps, provider);
  const flow = await db.transaction((tx) => insertFlow(tx, { ...begun, redirectUri }, clock()));
  return await tell(deps, provider, () => provider.authorizationUrl(flow));
}

/**
 * Take a browser in that came back. Throws `oauth_state_invalid`, `oauth_failed`, `oauth_unavailable`,
 * `oauth_email_unverified`, `oauth_address_taken`, `registration_closed`, `already_exists`, `account_disabled`.
 */
export async function finishOAuth(deps: AccountDeps, back: OAuthReturn, caller: Caller): Promise<OAuthOutcome> {
  const { db, clock } = deps;
  const provider = findProvider(deps, back.provider);
  const state = back.query.get('state') ?? '';
  const place = { provider: provider.name, browser: back.browser, redirectUri: redirectUriOf(deps, provider) };
  const { sessionId, ...flow } = await takeFlow(db, { ...place, state }, clock());
  const identity = await tell(deps, provider, () => provider.identify(back.query, flow));
  await refundRateLimit(db, 'oauth', caller.address);
  if (sessionId !== null) {
    const user = await findSessionUser(db, sessionId, clock());
    if (user === null) throw new ApiError('session_ended');
    await link(deps, user, provider, identity, caller);
    return { kind: 'linked' };
  }
  const user = await userOf(deps, provider, identity, caller);
  if (user.totpEnabled && user.disabledAt === null) {
    return { kind: 'code_needed', token: await db.transaction((tx) => createLink(tx, 'oauth_code', user, clock())) };
  }
  return { kind: 'signed_in', signedIn: await beginSession(deps, user, caller, back.userAgent) };
}

/**
 * The second step, where two-factor is on. A wrong code may be followed by another. Throws `link_invalid`, `code_wrong`,
 * `too_many_attempts`, `account_disabled`.
 */
export async function finishOAuthWithCode(
  deps: AccountDeps,
  { token, code }: { readonly token: string; readonly code: string },
  caller: Caller,
  userAgent: string,
): Promise<SignedIn> {
  const { db, clock } = deps;
  const user = await findUser(db, await findLink(db, 'oauth_code', token, clock()));
  if (user === null) throw new ApiError('link_invalid');
  const attempt = await beginAttempt(db, clock(), user.id, caller.address);
  if (user.totpEnabled && !(await checkSecondFactor(deps, user, code, caller))) {
    const details = { reason: 'wrong code' };
    await recordAudit(db, clock(), caller, { action: 'user.sign_in_failed', subject: user.id, details });
    throw new ApiError('code_wrong');
  }
  await useLink(db, 'oauth_code', token, clock());
  await attempt.succeeded();
  return await beginSession(deps, user, caller, userAgent);
}

function findProvider({ providers }: AccountDeps, name: string): OAuthProvider {
  const provider = providers.get(name);
  if (provider === undefined) {
    const remedy = 'GET /v2/auth/oauth lists those that are set up';
    throw new ApiError('name_unknown', { kind: 'sign-in provider', name: name.slice(0, 100), remedy });
  }
  return provider;
}

/** Each provider has its own: an answer of one cannot be handed in as another's. */
function redirectUriOf({ publicUrl }: AccountDeps, { name }: OAuthProvider): string {
  return `${publicUrl()}/v2/auth/oauth/${name}/callback`;
}

/** Ask a provider, and log why when it does not work: whoever signs in cannot help it, the operator can. */
async function tell<Answer>(
  { logger }: AccountDeps,
  { name }: OAuthProvider,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ApiError)
      logger.warn('sign-in by a provider failed', { provider: name, ...describeOAuthError(error) });
    throw error;
  }
}

/** The account of an identity: its own, one that can be linked to it, or a new one. */
async function userOf(
  deps: AccountDeps,
  provider: OAuthProvider,
  identity: ProviderIdentity,
  caller: Caller,
): Promise<User> {
  const { db, clock } = deps;
  const known = await findUserByIdentity(db, provider.issuer, identity.subject);
  if (known !== null) {
    await noteIdentityUse(db, provider.issuer, identity.subject, clock());
    return known;
  }
  const email = identity.verifiedEmail;
  if (email === null) throw new ApiError('oauth_email_unverified', { provider: provider.name });
  const sameAddress = await findUserByLogin(db, email);
  if (sameAddress === null) return await registerIdentity(deps, provider, identity, email, caller);
  // The first user's address is nobody's until the account is set up.
  const isProved =
    sameAddress.verifiedAt !== null && !(sameAddress.id === FIRST_USER_ID && sameAddress.passwordHash === null);
  if (!isProved) throw new ApiError('oauth_address_taken', { provider: provider.name });
  await link(deps, sameAddress, provider, identity, caller);
  return sameAddress;
}

async function registerIdentity(
  deps: AccountDeps,
  provider: OAuthProvider,
  identity: ProviderIdentity,
  email: string,
  caller: Caller,
): Promise<User> {
  const { db, clock, plans } = deps;
  await enforceRateLimit(db, clock(), 'register', caller.address);
  await enforceRegistrationPolicy(deps, email);
  return await db.transaction(async (tx) => {
    const username = await freeUsername(tx, identity.name);
    const made = await insertUser(
      tx,
      { email, username, passwordHash: null, planId: plans.defaultPlan.id, verifiedAt: clock() },
      clock(),
    );
    const details = { username, provider: provider.name };
    await recordAudit(tx, clock(), caller, { action: 'user.register', subject: made.id, details });
    await storeIdentity(tx, deps, made, provider, identity, caller);
    return made;
  });
}

/** Link an identity to an account, and tell the account's address. Throws `already_exists` when it is another's. */
async function link(
  deps: AccountDeps,
  user: User,
  provider: OAuthProvider,
  identity: ProviderIdentity,
  caller: Caller,
): Promise<void> {
  if (user.disabledAt !== null) throw new ApiError('account_disabled');
  await deps.db.transaction((tx) => storeIdentity(tx, deps, user, provider, identity, caller));
  deps.mailer.send({
    to: user.email,
    subject: 'Another way to sign in was added',
    text: `Hello ${user.username},\n\nan account at ${provider.name} now signs in to your account on ${deps.publicUrl()}.\n\nIf that was not you, change your password, and remove it (DELETE /v2/auth/identities/<id>).\n`,
  });
}

async function storeIdentity(
  tx: Database,
  { clock }: AccountDeps,
  user: User,
  provider: OAuthProvider,
  { subject, name }: ProviderIdentity,
  caller: Caller,
): Promise<void> {
  const { issuer } = provider;
  const row = { userId: user.id, provider: provider.name, issuer, subject, name: name.slice(0, 200) };
  if (!(await insertIdentity(tx, row, clock()))) {
    throw new ApiError('already_exists', { what: `that account at ${provider.name}` });
  }
  const details = { provider: provider.name };
  await recordAudit(
    tx,
    clock(),
    { ...caller, userId: user.id },
    { action: 'user.identity_link', subject: user.id, details },
  );
}
