/** Authentication: every route that is not public needs an API token or a session. */
import { ApiError, invalidParameter, type Proof, SCOPES, type Scope } from '@gptj-cloud/protocol';
import type { Context } from 'hono';
import { getCookie } from 'hono/cookie';
import type { Caller } from '../../audit/audit-log.ts';
import type { HttpEnv } from '../../http/http-env.ts';
import type { AccountSettings } from '../../identity/account-deps.ts';
import type { ApiKey } from '../../identity/api-keys/api-key.ts';
import { type FoundApiKey, KEY_USE_RESOLUTION_MS } from '../../identity/api-keys/api-key-store.ts';
import { isServerOwner, type Principal } from '../../identity/principal.ts';
import { isCsrfToken, type Session } from '../../identity/sessions/session.ts';
import type { SignedIn } from '../../identity/sessions/sign-in.ts';
import type { User } from '../../identity/users/user.ts';
import { refuseOtherSites } from './other-sites.ts';
import { sessionCookieName } from './session-cookie.ts';

/** The caller of an authenticated request. */
export interface Authenticated {
  readonly principal: Principal;
  /** Set when the request came with an API token. */
  readonly apiKey: ApiKey | undefined;
  /** Set when the request came with a session. */
  readonly signedIn: SignedIn | undefined;
  /** The caller as the audit log records it. */
  readonly caller: Caller;
  /**
   * Refuse the request unless its user is there in person: by a session that began or was confirmed recently, or by the
   * password, percent-encoded, in X-Confirm-Password, and the two-factor code in X-Confirm-Code. Throws
   * `confirmation_required`, `password_wrong`, `password_not_set`, `code_required`, `code_wrong`, `too_many_attempts`.
   */
  readonly requireConfirmation: () => Promise<void>;
}

export interface AuthenticationRules {
  /** A token needs one of these; `admin` is enough for every route. Empty: any token. */
  readonly scopes: readonly Scope[];
  /** Whether a user whose e-mail address is not verified may send the request. */
  readonly allowUnverified: boolean;
}

/** Checks requests for the routes' `access`. */
export interface Guard {
  /**
   * Authenticate with `Authorization: Bearer <token>`, or with the cookie of a session; the header takes precedence.
   *
   * Throws `token_missing`, `token_unknown`, `token_replaced`, `token_disabled`, `token_expired`, `scope_missing`, `session_ended`,
   * `csrf_token_wrong`, `account_disabled`, `email_unverified`, and `not_found` for a project in X-Project-Id that the
   * user is no member of, and what the limits on load throw.
   */
  authenticate(c: Context<HttpEnv>, rules: AuthenticationRules): Promise<Authenticated>;
  /** The session of a request that carries its cookie and CSRF token, or undefined. */
  findSignedIn(c: Context<HttpEnv>): Promise<SignedIn | undefined>;
  /** Headers with what the plan of a principal leaves. */
  limitHeaders(principal: Principal): Promise<Readonly<Record<string, string>>>;
  /** Refuse a POST that a page of another site sent. Throws `csrf_token_wrong`. */
  refuseOtherSites(c: Context<HttpEnv>): void;
}

/** A revoked key or session fails at the next request: what is found is as the store has it then. */
export interface GuardDeps {
  readonly clock: () => Date;
  /** Find the API key of a token, whatever its state, or null. */
  readonly findKey: (token: string) => Promise<FoundApiKey | null>;
  readonly recordKeyUse: (keyId: string, now: Date) => Promise<void>;
  /** The session of a cookie's value, or null when it has ended. */
  readonly findSession: (
    secret: string,
    now: Date,
  ) => Promise<{ readonly session: Session; readonly user: User } | null>;
  /** A project of a user, or the user's first when the id is null; null when the user is no member of it. */
  readonly findProject: (
    userId: string,
    projectId: string | null,
  ) => Promise<{ readonly projectId: string; readonly planId: string } | null>;
  /** Check the password and code of a user. */
  readonly confirmUser: (userId: string, proof: Proof, caller: Caller) => Promise<void>;
  readonly limitHeaders: Guard['limitHeaders'];
  readonly settings: Pick<AccountSettings, 'requireVerifiedEmail' | 'confirmationMs'>;
  /** Address at which browsers reach this server, where it differs from a request's Host. */
  readonly publicUrl: () => string;
}

export function createGuard(deps: GuardDeps): Guard {
  return {
    async authenticate(c, rules) {
      const header = c.req.header('authorization');
      const cookie = getCookie(c, sessionCookieName(c.get('secure')));
      const found =
        header === undefined && cookie !== undefined
          ? await bySession(deps, rules, c, cookie)
          : await byToken(deps, rules, header ?? '');
      const { principal } = found;
      c.set('projectId', principal.projectId);
      c.set('caller', { userId: principal.userId, apiKeyId: principal.apiKeyId });
      c.get('load')?.identify(`user:${principal.userId}`, { isExempt: isServerOwner(principal) });
      const caller = callerOf(c, principal, found.signedIn?.session);
      return { ...found, caller, requireConfirmation: () => requireConfirmation(deps, c, found, caller) };
    },
    async findSignedIn(c) {
      const secret = getCookie(c, sessionCookieName(c.get('secure')));
      const given = c.req.header('x-csrf-token');
      if (secret === undefined || given === undefined || !isCsrfToken(secret, given)) return undefined;
      const found = await deps.findSession(secret, deps.clock());
      return found === null || found.user.disabledAt !== null ? undefined : { ...found, secret };
    },
    limitHeaders: deps.limitHeaders,
    refuseOtherSites: (c) => refuseOtherSites(c, deps.publicUrl()),
  };
}

/** The caller as the audit log records it; on public routes, without a user. */
export function callerOf(c: Context<HttpEnv>, principal?: Principal, session?: Session): Caller {
  return {
    userId: principal?.userId ?? null,
    apiKeyId: principal?.apiKeyId ?? null,
    ...(session === undefined ? {} : { sessionId: session.id }),
    address: c.get('clientAddress'),
    requestId: c.get('requestId'),
  };
}

type Found = Omit<Authenticated, 'caller' | 'requireConfirmation'>;

async function requireConfirmation(
  deps: GuardDeps,
  c: Context<HttpEnv>,
  { principal, signedIn }: Found,
  caller: Caller,
): Promise<void> {
  const password = c.req.header('x-confirm-password');
  if (password !== undefined) {
    const code = c.req.header('x-confirm-code') ?? null;
    return await deps.confirmUser(principal.userId, { password: percentDecoded(password), code }, caller);
  }
  const confirmedAt = signedIn?.session.confirmedAt.getTime() ?? Number.NEGATIVE_INFINITY;
  if (deps.clock().getTime() - confirmedAt >= deps.settings.confirmationMs) throw new ApiError('confirmation_required');
}

/** Headers carry no other characters than those of ASCII safely. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidParameter('X-Confirm-Password', 'expected percent-encoded UTF-8');
  }
}

async function byToken(deps: GuardDeps, rules: AuthenticationRules, header: string): Promise<Found> {
  const [, token] = /^Bearer +([\x21-\x7e]{1,512}) *$/i.exec(header) ?? [];
  if (token === undefined) throw new ApiError('token_missing');
  const found = await deps.findKey(token);
  if (found === null) throw new ApiError('token_unknown');
  const { key, principal, verified, disabled, isPrevious } = found;
  const now = deps.clock();
  if (isPrevious && (key.previousUntil === null || key.previousUntil <= now)) {
    throw new ApiError('token_replaced', { when: (key.previousUntil ?? now).toISOString() });
  }
  if (!key.isEnabled) throw new ApiError('token_disabled');
  if (key.expiresAt !== null && key.expiresAt <= now) {
    throw new ApiError('token_expired', { when: key.expiresAt.toISOString() });
  }
  if (disabled) throw new ApiError('account_disabled');
  refuseUnverified(deps, rules, verified);
  refuseScopes(rules, principal);
  if (key.lastUsedAt === null || now.getTime() - key.lastUsedAt.getTime() >= KEY_USE_RESOLUTION_MS) {
    await deps.recordKeyUse(key.id, now);
  }
  return { apiKey: key, principal, signedIn: undefined };
}

async function bySession(
  deps: GuardDeps,
  rules: AuthenticationRules,
  c: Context<HttpEnv>,
  secret: string,
): Promise<Found> {
  const found = await deps.findSession(secret, deps.clock());
  if (found === null) throw new ApiError('session_ended');
  const { session, user } = found;
  if (user.disabledAt !== null) throw new ApiError('account_disabled');
  if (!['GET', 'HEAD', 'OPTIONS'].includes(c.req.method)) {
    const given = c.req.header('x-csrf-token');
    if (given === undefined) throw new ApiError('csrf_token_wrong', { got: 'none' });
    if (!isCsrfToken(secret, given)) throw new ApiError('csrf_token_wrong', { got: 'another' });
  }
  refuseUnverified(deps, rules, user.verifiedAt !== null);
  const projectId = c.req.header('x-project-id') ?? null;
  const project = await deps.findProject(user.id, projectId);
  if (project === null) {
    throw new ApiError('not_found', { kind: 'project', id: (projectId ?? 'of the user').slice(0, 100) });
  }
  return {
    apiKey: undefined,
    signedIn: { session, user, secret },
    principal: { ...project, userId: user.id, apiKeyId: null, role: user.role, scopes: SCOPES },
  };
}

function refuseScopes({ scopes: accepted }: AuthenticationRules, { scopes }: Principal): void {
  if (accepted.length === 0 || scopes.includes('admin') || accepted.some((scope) => scopes.includes(scope))) return;
  throw new ApiError('scope_missing', { expected: accepted.join(' or '), got: scopes.join(', ') });
}

function refuseUnverified({ settings }: GuardDeps, { allowUnverified }: AuthenticationRules, verified: boolean): void {
  if (settings.requireVerifiedEmail && !verified && !allowUnverified) throw new ApiError('email_unverified');
}
