/**
 * The one auth layer. Every request passes here, and whatever is not in `PUBLIC_ROUTES` needs an API token or
 * a session: an address that a route forgets to guard is guarded all the same.
 */
import { ApiError, SCOPES } from '@gptj-cloud/protocol';
import type { Context, MiddlewareHandler } from 'hono';
import { getCookie } from 'hono/cookie';
import type { AccountSettings } from '../../identity/account-deps.ts';
import { type FoundApiKey, USE_NOTED_EVERY_MS } from '../../identity/api-keys/api-key-store.ts';
import type { Principal } from '../../identity/principal.ts';
import { isCsrfToken, type Session } from '../../identity/sessions/session.ts';
import type { User } from '../../identity/users/user.ts';
import type { AppEnv } from './app-env.ts';
import { requiredScopes } from './required-scope.ts';

/** What anybody may ask: method and path, a `:name` for one part of any kind. Everything else needs a token or a session. */
export const PUBLIC_ROUTES: ReadonlySet<string> = new Set([
  'GET /',
  'GET /healthz',
  'GET /readyz',
  'GET /health',
  'GET /v2/status',
  'GET /openapi.json',
  'GET /docs',
  'POST /v2/auth/register',
  'POST /v2/auth/login',
  'POST /v2/auth/forgot-password',
  ...['set-up', 'verify-email', 'reset-password', 'change-email', 'oauth-code'].flatMap((link) => [
    `GET /v2/auth/${link}`,
    `POST /v2/auth/${link}`,
  ]),
  'GET /v2/auth/oauth',
  'GET /v2/auth/oauth/:provider',
  'GET /v2/auth/oauth/:provider/callback',
  'GET /v2/auth/signed-in',
  // Guarded by the signature of the payment provider.
  'POST /v2/billing/stripe-webhook',
]);

const PUBLIC_PATTERNS: readonly RegExp[] = [...PUBLIC_ROUTES]
  .filter((route) => route.includes(':'))
  .map((route) => new RegExp(`^${route.replaceAll(/:\w+/g, '[^/]+')}$`));

/** Who may ask, as the store knows it now: nothing is remembered, so what was revoked ends with the next request. */
export interface AuthDeps {
  readonly clock: () => Date;
  /** The key a token belongs to, whatever its state, or null. */
  readonly findKey: (token: string) => Promise<FoundApiKey | null>;
  readonly noteUse: (keyId: string, now: Date) => Promise<void>;
  /** The living session of a cookie's value, or null. */
  readonly findSession: (
    secret: string,
    now: Date,
  ) => Promise<{ readonly session: Session; readonly user: User } | null>;
  /** A project of a user, or the first when none is named; null when it is not theirs. */
  readonly findProject: (
    userId: string,
    projectId: string | null,
  ) => Promise<{ readonly projectId: string; readonly planId: string } | null>;
  readonly settings: Pick<AccountSettings, 'requireVerifiedEmail'>;
  /** Where people reach this server, if that is not what a request's Host says. */
  readonly publicUrl: () => string;
}

/** The cookie of a session. The prefix makes browsers refuse it from anything but this host over TLS. */
export function sessionCookieName(secure: boolean): string {
  return secure ? '__Host-gptj_session' : 'gptj_session';
}

/**
 * Let a request pass with `Authorization: Bearer <token>`, or with the cookie of a session; a header wins. Sets
 * `principal`, and `apiKey` or `signedIn`.
 *
 * Throws `token_missing`, `token_unknown`, `token_disabled`, `token_expired`, `scope_missing`, `session_ended`,
 * `csrf_token_wrong`, `account_disabled`, `email_unverified`, and `not_found` for another's project in X-Project-Id.
 */
export function auth(deps: AuthDeps): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    if (isPublic(c.req.method, c.req.path)) {
      refuseOtherSites(c, deps.publicUrl());
    } else {
      const header = c.req.header('authorization');
      const cookie = getCookie(c, sessionCookieName(c.get('secure')));
      if (header === undefined && cookie !== undefined) await bySession(deps, c, cookie);
      else await byToken(deps, c, header ?? '');
    }
    await next();
  };
}

async function byToken(deps: AuthDeps, c: Context<AppEnv>, header: string): Promise<void> {
  const [, token] = /^Bearer +([\x21-\x7e]{1,512}) *$/i.exec(header) ?? [];
  if (token === undefined) throw new ApiError('token_missing');
  const found = await deps.findKey(token);
  if (found === null) throw new ApiError('token_unknown');
  const { key, principal, verified, disabled } = found;
  const now = deps.clock();
  if (!key.isEnabled) throw new ApiError('token_disabled');
  if (key.expiresAt !== null && key.expiresAt <= now) {
    throw new ApiError('token_expired', { when: key.expiresAt.toISOString() });
  }
  if (disabled) throw new ApiError('account_disabled');
  refuseUnverified(deps, c, verified);
  refuseScopes(c, principal);
  if (key.lastUsedAt === null || now.getTime() - key.lastUsedAt.getTime() >= USE_NOTED_EVERY_MS) {
    await deps.noteUse(key.id, now);
  }
  c.set('apiKey', key);
  c.set('principal', principal);
}

async function bySession(deps: AuthDeps, c: Context<AppEnv>, secret: string): Promise<void> {
  const found = await deps.findSession(secret, deps.clock());
  if (found === null) throw new ApiError('session_ended');
  const { session, user } = found;
  if (user.disabledAt !== null) throw new ApiError('account_disabled');
  if (!['GET', 'HEAD', 'OPTIONS'].includes(c.req.method)) {
    const given = c.req.header('x-csrf-token');
    if (given === undefined) throw new ApiError('csrf_token_wrong', { got: 'none' });
    if (!isCsrfToken(secret, given)) throw new ApiError('csrf_token_wrong', { got: 'another' });
  }
  refuseUnverified(deps, c, user.verifiedAt !== null);
  const wanted = c.req.header('x-project-id') ?? null;
  const project = await deps.findProject(user.id, wanted);
  if (project === null)
    throw new ApiError('not_found', { kind: 'project', id: (wanted ?? 'of the user').slice(0, 100) });
  c.set('signedIn', { session, user, secret });
  c.set('principal', { ...project, userId: user.id, apiKeyId: null, role: user.role, scopes: SCOPES });
}

function refuseScopes(c: Context<AppEnv>, { scopes }: Principal): void {
  const required = requiredScopes(c.req.method, c.req.path);
  if (required.length === 0 || scopes.includes('admin') || required.some((scope) => scopes.includes(scope))) return;
  throw new ApiError('scope_missing', { expected: required.join(' or '), got: scopes.join(', ') });
}

function refuseUnverified({ settings }: AuthDeps, c: Context<AppEnv>, verified: boolean): void {
  if (settings.requireVerifiedEmail && !verified && !c.req.path.startsWith('/v2/auth/'))
    throw new ApiError('email_unverified');
}

/**
 * A page elsewhere must not sign its visitor in as somebody. Browsers alone send these headers, and scripts cannot forge
 * them: Sec-Fetch-Site to addresses with TLS and to this machine, Origin with every POST.
 */
function refuseOtherSites(c: Context<AppEnv>, publicUrl: string): void {
  if (c.req.method !== 'POST') return;
  const site = c.req.header('sec-fetch-site');
  const origin = c.req.header('origin');
  const isOther =
    site === undefined
      ? origin !== undefined && !isOriginOf(origin, [c.req.url, publicUrl])
      : site === 'cross-site' || site === 'same-site';
  if (!isOther) return;
  const remedy = 'send it from a page of this server; if it was, PUBLIC_URL is not where that page is reached';
  throw new ApiError('csrf_token_wrong', { got: 'a request of another site' }, { remedy });
}

/** Whether one of the URLs is of that host and port. The scheme may differ: a proxy may have ended TLS. */
function isOriginOf(origin: string, urls: readonly string[]): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, host } = new URL(origin);
  return urls.some((url) => {
    if (!URL.canParse(url)) return false;
    const at = new URL(url);
    // The port that a scheme implies is not written.
    at.protocol = protocol;
    return at.host === host;
  });
}

/** With and without the trailing slash, as the routes answer; HEAD as GET. */
function isPublic(method: string, path: string): boolean {
  const asked = method === 'HEAD' ? 'GET' : method;
  const plain = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
  const route = `${asked} ${plain}`;
  return PUBLIC_ROUTES.has(route) || PUBLIC_PATTERNS.some((pattern) => pattern.test(route));
}
