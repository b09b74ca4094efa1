import { type SessionGet, toTimestamp } from '@gptj-cloud/protocol';
import type { Context } from 'hono';
import { deleteCookie, setCookie } from 'hono/cookie';
import type { HttpEnv } from '../../http/http-env.ts';
import type { AccountPlans } from '../../identity/account-deps.ts';
import { csrfToken, SESSION_LIFETIME_MS } from '../../identity/sessions/session.ts';
import type { SignedIn } from '../../identity/sessions/sign-in.ts';
import { toUserGet } from '../../identity/users/user.ts';
import { sessionCookieName } from '../access/session-cookie.ts';

/** Give the browser the cookie of a session. */
export function setSessionCookie(c: Context<HttpEnv>, { secret }: SignedIn): void {
  setCookie(c, sessionCookieName(c.get('secure')), secret, {
    ...cookieOptions(c),
    maxAge: SESSION_LIFETIME_MS / 1000,
  });
}

export function deleteSessionCookie(c: Context<HttpEnv>): void {
  deleteCookie(c, sessionCookieName(c.get('secure')), cookieOptions(c));
}

export function toSessionGet({ session, user, secret }: SignedIn, plans: AccountPlans): SessionGet {
  return {
    id: session.id,
    user: toUserGet(user, plans),
    csrf_token: csrfToken(secret),
    expires_at: toTimestamp(session.expiresAt),
  };
}

/** Options of every cookie that identifies a user: scripts cannot read it, and other sites' writes do not carry it. */
export function cookieOptions(c: Context<HttpEnv>) {
  return { path: '/', httpOnly: true, sameSite: 'Lax', secure: c.get('secure') } as const;
}
