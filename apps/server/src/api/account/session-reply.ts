import { type SessionGet, toTimestamp } from '@gptj-cloud/protocol';
import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { HttpEnv } from '../../http/http-env.ts';
import type { AccountPlans } from '../../identity/account-deps.ts';
import { type Client, DEVICE_LIFETIME_MS } from '../../identity/sessions/known-device-store.ts';
import { csrfToken, SESSION_LIFETIME_MS } from '../../identity/sessions/session.ts';
import type { NewSignIn, SignedIn } from '../../identity/sessions/sign-in.ts';
import { toUserGet } from '../../identity/users/user.ts';
import { deviceCookieName, sessionCookieName } from '../access/session-cookie.ts';

/** The browser or program that sent a request. */
export function clientOf(c: Context<HttpEnv>): Client {
  return {
    userAgent: c.req.header('user-agent') ?? '',
    device: getCookie(c, deviceCookieName(c.get('secure'))) ?? null,
  };
}

/** Give the browser the cookie of a session, and the one by which the account knows the browser later. */
export function setSignInCookies(c: Context<HttpEnv>, { secret, device }: NewSignIn): void {
  setCookie(c, sessionCookieName(c.get('secure')), secret, {
    ...cookieOptions(c),
    maxAge: SESSION_LIFETIME_MS / 1000,
  });
  setDeviceCookie(c, device);
}

/** Give the browser the cookie by which an account knows it. It gives no access. */
export function setDeviceCookie(c: Context<HttpEnv>, device: string): void {
  setCookie(c, deviceCookieName(c.get('secure')), device, {
    ...cookieOptions(c),
    maxAge: DEVICE_LIFETIME_MS / 1000,
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
