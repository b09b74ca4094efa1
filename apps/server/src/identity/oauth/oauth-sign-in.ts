/**
 * Social sign-in (OAuth 2, OpenID Connect). The browser is redirected to a provider and returns with proof of its user's
 * identity there:
 *
 * - a linked identity signs its account in;
 * - an address that the provider has verified, and that no account has here, becomes a new account, if registration
 *   allows it;
 * - an account with that address is linked if it has verified the address itself. An unverified account may have been
 *   created by an attacker who waits for the owner of the address;
 * - a signed-in user links any identity to the own account.
 *
 * Two-factor of the account applies in every case, and a disabled account cannot sign in.
 */
import { ApiError } from '@gptj-cloud/protocol';
import { type Caller, recordAudit } from '../../audit/audit-log.ts';
import type { Database } from '../../store/db.ts';
import type { OAuthDeps, StoreDeps } from '../account-deps.ts';
import { hashSecret } from '../secret.ts';
import { type Client, findKnownOrigin } from '../sessions/known-device-store.ts';
import { beginCheck, enforceRateLimit, refundRateLimit } from '../sessions/login-guard.ts';
import { findSessionUser } from '../sessions/session-store.ts';
import { beginSession, type NewSignIn, secondFactorOwner } from '../sessions/sign-in.ts';
import { checkSecondFactor } from '../two-factor/two-factor.ts';
import { createLink, findLink, useLink } from '../users/account-link-store.ts';
import { FIRST_USER_ID } from '../users/first-user.ts';
import { enforceRegistrationPolicy } from '../users/registration.ts';
import type { User } from '../users/user.ts';
import { findUser, findUserByLogin, freeUsername, insertUser } from '../users/user-store.ts';
import { findUserByIdentity, insertIdentity, recordIdentityUse } from './identity-store.ts';
import { describeOAuthError } from './oauth-client.ts';
import { consumeFlow, insertFlow } from './oauth-flow-store.ts';
import type { OAuthProvider, ProviderIdentity } from './oauth-provider.ts';

/** A browser's return from a provider. */
export interface OAuthReturn {
  readonly provider: string;
  /** Value of its cookie. */
  readonly browser: string;
  readonly query: URLSearchParams;
  readonly client: Client;
}

/** Signed in; or a second factor is required, and `token` proves the first; or linked to the signed-in account. */
export type OAuthOutcome =
  | { readonly kind: 'signed_in'; readonly signedIn: NewSignIn }
  | { readonly kind: 'code_needed'; readonly token: string }
  | { readonly kind: 'linked' };

export interface BegunFlow {
  readonly provider: string;
  /** Secret in the browser's cookie. */
  readonly browser: string;
  /** The browser has sent the cookie, so this is not its first flow. */
  readonly isKnownBrowser: boolean;
  readonly sessionId: string | null;
}

/**
 * Begin a flow, and return the address to redirect the browser to. With a `sessionId` the flow links an identity to the
 * session's user. Throws `name_unknown`, `too_many_attempts`, `oauth_unavailable`.
 */
export async function beginOAuth(deps: OAuthDeps, begun: BegunFlow, caller: Caller): Promise<URL> {
  const { db, clock } = deps;
  const provider = findProvider(deps, begun.provider);
  await countBegun(deps, begun, caller);
  const redirectUri = redirectUriOf(deps, provider);
  const flow = await db.transaction((tx) => insertFlow(tx, { ...begun, redirectUri }, clock()));
  return await logFailure(deps, provider, () => provider.authorizationUrl(flow));
}

/**
 * Finish a flow when the browser returns. Throws `oauth_state_invalid`, `oauth_failed`, `oauth_unavailable`,
 * `oauth_email_unverified`, `oauth_address_taken`, `registration_closed`, `already_exists`, `account_disabled`.
 */
export async function finishOAuth(deps: OAuthDeps, returned: OAuthReturn, caller: Caller): Promise<OAuthOutcome> {
  const { db, clock } = deps;
  const provider = findProvider(deps, returned.provider);
  const state = returned.query.get('state') ?? '';
  const place = { provider: provider.name, browser: returned.browser, redirectUri: redirectUriOf(deps, provider) };
  const { sessionId, ...flow } = await consumeFlow(db, { ...place, state }, clock());
  const identity = await logFailure(deps, provider, () => provider.identify(returned.query, flow));
  await refundRateLimit(db, 'oauth', caller.address);
  await refundRateLimit(db, 'oauth_browser', sessionId ?? hashSecret(returned.browser));
  if (sessionId !== null) {
    const user = await findSessionUser(db, sessionId, clock());
    if (user === null) throw new ApiError('session_ended');
    await link(deps, user, provider, identity, caller);
    return { kind: 'linked' };
  }
  const user = await findOrCreateUser(deps, provider, identity, caller);
  if (user.totpEnabled && user.disabledAt === null) {
    return { kind: 'code_needed', token: await db.transaction((tx) => createLink(tx, 'oauth_code', user, clock())) };
  }
  return { kind: 'signed_in', signedIn: await beginSession(deps, user, caller, returned.client) };
}

/**
 * Finish a flow with the second factor. A wrong code may be corrected. Throws `link_invalid`, `code_wrong`,
 * `too_many_attempts`, `account_disabled`.
 */
export async function finishOAuthWithCode(
  deps: OAuthDeps,
  { token, code }: { readonly token: string; readonly code: string },
  caller: Caller,
  client: Client,
): Promise<NewSignIn> {
  const { db, clock } = deps;
  const user = await findUser(db, await findLink(db, 'oauth_code', token, clock()));
  if (user === null) throw new ApiError('link_invalid');
  const origin = { device: client.device, address: caller.address };
  const known = await findKnownOrigin(db, user.id, origin, clock());
  const attempt = await beginCheck(db, clock(), 'second_factor', secondFactorOwner(user, known));
  if (user.totpEnabled && !(await checkSecondFactor(deps, user, code, caller))) {
    const details = { reason: 'wrong code' };
    await recordAudit(db, clock(), caller, { action: 'user.sign_in_failed', subject: user.id, details });
    throw new ApiError('code_wrong');
  }
  await useLink(db, 'oauth_code', token, clock());
  await attempt.succeeded();
  return await beginSession(deps, user, caller, client);
}

/**
 * A browser with a cookie has a counter of its own, so that others at its address cannot use it up; a browser without one
 * is counted by its address.
 */
async function countBegun(
  { db, clock }: StoreDeps,
  { browser, isKnownBrowser, sessionId }: BegunFlow,
  { address }: Caller,
): Promise<void> {
  const known = sessionId ?? (isKnownBrowser ? hashSecret(browser) : null);
  if (known === null) return await enforceRateLimit(db, clock(), 'oauth', address);
  await enforceRateLimit(db, clock(), 'oauth_browser', known);
  await enforceRateLimit(db, clock(), 'oauth_address', address);
}

function findProvider({ providers }: OAuthDeps, name: string): OAuthProvider {
  const provider = providers.get(name);
  if (provider === undefined) {
    const remedy = 'GET /v2/auth/oauth lists the configured providers';
    throw new ApiError('name_unknown', { kind: 'sign-in provider', name: name.slice(0, 100), remedy });
  }
  return provider;
}

/** Each provider has its own redirect URI, so that the reply of one cannot be used as the reply of another. */
function redirectUriOf({ publicUrl }: OAuthDeps, { name }: OAuthProvider): string {
  return `${publicUrl()}/v2/auth/oauth/${name}/callback`;
}

/** Call a provider, and log the reason of a failure: the operator can fix it, the user cannot. */
async function logFailure<Reply>(
  { logger }: OAuthDeps,
  { name }: OAuthProvider,
  call: () => Promise<Reply>,
): Promise<Reply> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof ApiError)
      logger.warn('sign-in by a provider failed', { provider: name, ...describeOAuthError(error) });
    throw error;
  }
}

/** The account of an identity: the linked one, an existing one that it may be linked to, or a new one. */
async function findOrCreateUser(
  deps: OAuthDeps,
  provider: OAuthProvider,
  identity: ProviderIdentity,
  caller: Caller,
): Promise<User> {
  const { db, clock } = deps;
  const known = await findUserByIdentity(db, provider.issuer, identity.subject);
  if (known !== null) {
    await recordIdentityUse(db, provider.issuer, identity.subject, clock());
    return known;
  }
  const email = identity.verifiedEmail;
  if (email === null) throw new ApiError('oauth_email_unverified', { provider: provider.name });
  const sameAddress = await findUserByLogin(db, email);
  if (sameAddress === null) return await registerIdentity(deps, provider, identity, email, caller);
  // Until the first user is set up, its address is a placeholder.
  const isProved =
    sameAddress.verifiedAt !== null && !(sameAddress.id === FIRST_USER_ID && sameAddress.passwordHash === null);
  if (!isProved) throw new ApiError('oauth_address_taken', { provider: provider.name });
  await link(deps, sameAddress, provider, identity, caller);
  return sameAddress;
}

async function registerIdentity(
  deps: OAuthDeps,
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
    const user = await insertUser(
      tx,
      { email, username, passwordHash: null, planId: plans.defaultPlan.id, verifiedAt: clock() },
      clock(),
    );
    const details = { username, provider: provider.name };
    await recordAudit(tx, clock(), caller, { action: 'user.register', subject: user.id, details });
    await storeIdentity(tx, deps, user, provider, identity, caller);
    return user;
  });
}

/** Link an identity to an account, and notify the account's address. Throws `already_exists` if it is already linked. */
async function link(
  deps: OAuthDeps,
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
  { clock }: StoreDeps,
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
