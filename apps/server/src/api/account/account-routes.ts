/**
 * Signing in and what belongs to it. Cookie-authenticated writes carry the session's `csrf_token` in X-CSRF-Token.
 *
 *     POST   /v2/auth/register              {email, username, password} → 201 UserGet; a link to verify is mailed
 *     POST   /v2/auth/login                 {login, password, code?} → SessionGet, and the session's cookie
 *     GET    /v2/auth/session               → SessionGet
 *     POST   /v2/auth/logout                → 204
 *     GET    /v2/auth/sessions              → {data: SessionEntry[]}
 *     DELETE /v2/auth/sessions/{id}         → 204
 *     POST   /v2/auth/set-up                {token, email, username, password} → UserGet: the first owner, by the printed link
 *     POST   /v2/auth/verify-email          {token} → UserGet
 *     POST   /v2/auth/verify-email/send     → 202: mail another link
 *     POST   /v2/auth/forgot-password       {email} → 202, whether or not there is such an account
 *     POST   /v2/auth/reset-password        {token, password} → 204; ends every session
 *     POST   /v2/auth/password              {current_password, code?, new_password} → 204; ends every other session
 *     POST   /v2/auth/two-factor            {password} → {secret, uri}
 *     POST   /v2/auth/two-factor/confirm    {code} → {recovery_codes}
 *     POST   /v2/auth/two-factor/disable    {password, code} → 204
 *     POST   /v2/auth/email                 {email, password, code?} → 202: mail a link to the new address
 *     POST   /v2/auth/change-email          {token} → UserGet: change to it, by that link
 *     POST   /v2/auth/delete-account        {password, code?} → 204: with everything it holds
 *     GET    /v2/auth/set-up, verify-email, reset-password, change-email: the pages that links lead to
 */
import {
  changeEmailSchema,
  changePasswordSchema,
  confirmEmailSchema,
  deleteAccountSchema,
  forgotPasswordSchema,
  loginSchema,
  registerSchema,
  resetPasswordSchema,
  setUpSchema,
  toTimestamp,
  twoFactorConfirmSchema,
  twoFactorDisableSchema,
  twoFactorPasswordSchema,
  verifyEmailSchema,
} from '@gptj-cloud/protocol';
import { Hono } from 'hono';
import { readSmallBody } from '../../http/small-body.ts';
import type { AccountDeps } from '../../identity/account-deps.ts';
import { changePassword, resetPassword } from '../../identity/sessions/change-password.ts';
import { enforceRateLimit } from '../../identity/sessions/login-guard.ts';
import { listSessions } from '../../identity/sessions/session-store.ts';
import { endSession, signIn } from '../../identity/sessions/sign-in.ts';
import {
  beginTwoFactor,
  confirmInPerson,
  confirmPassword,
  confirmTwoFactor,
  endTwoFactor,
} from '../../identity/sessions/two-factor.ts';
import { confirmEmailChange, requestEmailChange } from '../../identity/users/change-email.ts';
import { deleteOwnAccount } from '../../identity/users/delete-account.ts';
import { register, sendPasswordReset, sendVerification, verifyEmail } from '../../identity/users/registration.ts';
import { setUp } from '../../identity/users/set-up-owner.ts';
import { toUserGet } from '../../identity/users/user.ts';
import type { AppEnv } from '../access/app-env.ts';
import { callerOf, requireSession } from '../access/signed-in.ts';
import { LINK_PAGES, linkPage } from './link-page.ts';
import { deleteSessionCookie, setSessionCookie, toSessionGet } from './session-reply.ts';

export function accountRoutes(deps: AccountDeps): Hono<AppEnv> {
  const routes = new Hono<AppEnv>({ strict: false })
    .post('/v2/auth/register', async (c) => {
      const user = await register(deps, await readSmallBody(c, registerSchema), callerOf(c));
      return c.json(toUserGet(user, deps.plans), 201);
    })
    .post('/v2/auth/login', async (c) => {
      const login = await readSmallBody(c, loginSchema);
      const signedIn = await signIn(deps, login, callerOf(c), c.req.header('user-agent') ?? '');
      setSessionCookie(c, signedIn);
      return c.json(toSessionGet(signedIn, deps.plans));
    })
    .get('/v2/auth/session', (c) => c.json(toSessionGet(requireSession(c), deps.plans)))
    .post('/v2/auth/logout', async (c) => {
      const { session, user } = requireSession(c);
      await endSession(deps, session.id, user.id, callerOf(c), 'user.sign_out');
      deleteSessionCookie(c);
      return c.body(null, 204);
    })
    .get('/v2/auth/sessions', async (c) => {
      const { session: current, user } = requireSession(c);
      const sessions = await listSessions(deps.db, user.id, deps.clock());
      return c.json({
        data: sessions.map((session) => ({
          id: session.id,
          created_at: toTimestamp(session.createdAt),
          last_seen: toTimestamp(session.lastSeenAt),
          expires_at: toTimestamp(session.expiresAt),
          address: session.address,
          user_agent: session.userAgent,
          current: session.id === current.id,
        })),
      });
    })
    .delete('/v2/auth/sessions/:id', async (c) => {
      const { user } = requireSession(c);
      await endSession(deps, c.req.param('id'), user.id, callerOf(c), 'session.end');
      return c.body(null, 204);
    })
    .post('/v2/auth/set-up', async (c) => {
      const user = await setUp(deps, await readSmallBody(c, setUpSchema), callerOf(c));
      return c.json(toUserGet(user, deps.plans));
    })
    .post('/v2/auth/verify-email', async (c) => {
      const { token } = await readSmallBody(c, verifyEmailSchema);
      return c.json(toUserGet(await verifyEmail(deps, token, callerOf(c)), deps.plans));
    })
    .post('/v2/auth/verify-email/send', async (c) => {
      const { user } = requireSession(c);
      await enforceRateLimit(deps.db, deps.clock(), 'verify', user.id);
      if (user.verifiedAt === null) await sendVerification(deps, user);
      return c.json({ message: 'a link is on its way, unless the address is verified already' }, 202);
    })
    .post('/v2/auth/forgot-password', async (c) => {
      const { email } = await readSmallBody(c, forgotPasswordSchema);
      await sendPasswordReset(deps, email, callerOf(c));
      return c.json({ message: 'if that address has an account, a link is on its way' }, 202);
    })
    .post('/v2/auth/reset-password', async (c) => {
      await resetPassword(deps, await readSmallBody(c, resetPasswordSchema), callerOf(c));
      return c.body(null, 204);
    });
  for (const kind of LINK_PAGES) routes.get(`/v2/auth/${kind}`, () => linkPage(kind));
  return routes.route('/', securityRoutes(deps));
}

/** What changes how one signs in, or whether. */
function securityRoutes(deps: AccountDeps): Hono<AppEnv> {
  return new Hono<AppEnv>({ strict: false })
    .post('/v2/auth/password', async (c) => {
      const { user, session } = requireSession(c);
      const { current_password: password, code, new_password: next } = await readSmallBody(c, changePasswordSchema);
      await confirmInPerson(deps, user, { password, code }, callerOf(c));
      await changePassword(deps, user, { next, sessionId: session.id }, callerOf(c));
      return c.body(null, 204);
    })
    .post('/v2/auth/email', async (c) => {
      const { user } = requireSession(c);
      await requestEmailChange(deps, user, await readSmallBody(c, changeEmailSchema), callerOf(c));
      return c.json({ message: 'a link is on its way to the new address; nothing changes before it is followed' }, 202);
    })
    .post('/v2/auth/change-email', async (c) => {
      const { token } = await readSmallBody(c, confirmEmailSchema);
      return c.json(toUserGet(await confirmEmailChange(deps, token, callerOf(c)), deps.plans));
    })
    .post('/v2/auth/delete-account', async (c) => {
      const { user } = requireSession(c);
      await deleteOwnAccount(deps, user, await readSmallBody(c, deleteAccountSchema), callerOf(c));
      deleteSessionCookie(c);
      return c.body(null, 204);
    })
    .post('/v2/auth/two-factor', async (c) => {
      const { user } = requireSession(c);
      const { password } = await readSmallBody(c, twoFactorPasswordSchema);
      await confirmPassword(deps, user, password, callerOf(c));
      return c.json(await beginTwoFactor(deps, user));
    })
    .post('/v2/auth/two-factor/confirm', async (c) => {
      const { user } = requireSession(c);
      const { code } = await readSmallBody(c, twoFactorConfirmSchema);
      return c.json({ recovery_codes: await confirmTwoFactor(deps, user, code, callerOf(c)) });
    })
    .post('/v2/auth/two-factor/disable', async (c) => {
      const { user } = requireSession(c);
      await confirmInPerson(deps, user, await readSmallBody(c, twoFactorDisableSchema), callerOf(c));
      await endTwoFactor(deps, user, callerOf(c));
      return c.body(null, 204);
    });
}
