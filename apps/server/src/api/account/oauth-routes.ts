/**
 * Signing in with a provider of the settings, and the identities linked by that.
 *
 *     GET    /v2/auth/oauth                       → {data: [{name}]}: the providers there are
 *     GET    /v2/auth/oauth/{provider}            → 302 to the provider
 *     GET    /v2/auth/oauth/{provider}/callback   → the session's cookie, and 303 to one of the pages below
 *     POST   /v2/auth/oauth-code                  {token, code} → SessionGet: the second step, where two-factor is on
 *     GET    /v2/auth/oauth-code, signed-in       the pages one comes back to
 *     GET    /v2/auth/identities                  → {data: IdentityGet[]}
 *     POST   /v2/auth/identities                  {provider, password, code?} → {authorization_url}: go there to link
 *     DELETE /v2/auth/identities/{id}             → 204
 */
import { ApiError, type IdentityGet, identityCreateSchema, oauthCodeSchema, toTimestamp } from '@gptj-cloud/protocol';
import { type Context, Hono } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { readSmallBody } from '../../http/small-body.ts';
import type { AccountDeps } from '../../identity/account-deps.ts';
import { unlinkIdentity } from '../../identity/oauth/identities.ts';
import { type Identity, listIdentities } from '../../identity/oauth/identity-store.ts';
import { FLOW_LIFETIME_MS, isBrowserSecret, newBrowserSecret } from '../../identity/oauth/oauth-flow-store.ts';
import { beginOAuth, finishOAuth, finishOAuthWithCode, type OAuthOutcome } from '../../identity/oauth/oauth-sign-in.ts';
import { confirmInPerson } from '../../identity/sessions/two-factor.ts';
import type { AppEnv } from '../access/app-env.ts';
import { callerOf, requireSession } from '../access/signed-in.ts';
import { linkPage } from './link-page.ts';
import { cookieOptions, setSessionCookie, toSessionGet } from './session-reply.ts';
import { refusalPage, signedInPage } from './signed-in-page.ts';

export function oauthRoutes(deps: AccountDeps): Hono<AppEnv> {
  return new Hono<AppEnv>({ strict: false })
    .get('/v2/auth/oauth', (c) => c.json({ data: [...deps.providers.keys()].map((name) => ({ name })) }))
    .get('/v2/auth/oauth/:provider', (c) =>
      shown(c, async () => {
        const begun = { provider: c.req.param('provider'), browser: browserOf(c), sessionId: null };
        const url = await beginOAuth(deps, begun, callerOf(c));
        rememberBrowser(c, begun.browser);
        return c.redirect(url.href, 302);
      }),
    )
    .get('/v2/auth/oauth/:provider/callback', (c) =>
      shown(c, async () => {
        const browser = getCookie(c, browserCookieName(c)) ?? '';
        const query = new URL(c.req.url).searchParams;
        const back = { provider: c.req.param('provider'), browser, query, userAgent: c.req.header('user-agent') ?? '' };
        const outcome = await finishOAuth(deps, back, callerOf(c));
        if (outcome.kind === 'signed_in') setSessionCookie(c, outcome.signedIn);
        return c.redirect(pageAfter(outcome), 303);
      }),
    )
    .get('/v2/auth/oauth-code', () => linkPage('oauth-code'))
    .post('/v2/auth/oauth-code', async (c) => {
      const step = await readSmallBody(c, oauthCodeSchema);
      const signedIn = await finishOAuthWithCode(deps, step, callerOf(c), c.req.header('user-agent') ?? '');
      setSessionCookie(c, signedIn);
      return c.json(toSessionGet(signedIn, deps.plans));
    })
    .get('/v2/auth/signed-in', () => signedInPage())
    .get('/v2/auth/identities', async (c) => {
      const { user } = requireSession(c);
      return c.json({ data: (await listIdentities(deps.db, user.id)).map(toIdentityGet) });
    })
    .post('/v2/auth/identities', async (c) => {
      const { user, session } = requireSession(c);
      const { provider, ...proof } = await readSmallBody(c, identityCreateSchema);
      // Whoever made the account could wait here for the owner of the address to come.
      if (user.verifiedAt === null) throw new ApiError('email_unverified');
      await confirmInPerson(deps, user, proof, callerOf(c));
      const browser = browserOf(c);
      const url = await beginOAuth(deps, { provider, browser, sessionId: session.id }, callerOf(c));
      rememberBrowser(c, browser);
      return c.json({ authorization_url: url.href });
    })
    .delete('/v2/auth/identities/:id', async (c) => {
      const { user } = requireSession(c);
      await unlinkIdentity(deps, user.id, c.req.param('id'), callerOf(c));
      return c.body(null, 204);
    });
}

/** Always one of this server's own: nothing that a request or a provider says leads anywhere else. */
function pageAfter(outcome: OAuthOutcome): string {
  if (outcome.kind === 'code_needed') return `/v2/auth/oauth-code#${outcome.token}`;
  return outcome.kind === 'linked' ? '/v2/auth/signed-in#linked' : '/v2/auth/signed-in';
}

/** People come here by links: browsers get a refusal as a page, programs as ever. */
async function shown(c: Context<AppEnv>, work: () => Promise<Response>): Promise<Response> {
  try {
    return await work();
  } catch (error) {
    const isBrowser = (c.req.header('accept') ?? '').includes('text/html');
    if (error instanceof ApiError && isBrowser) return refusalPage(error, c.get('requestId'));
    throw error;
  }
}

/** A browser with several sign-ins under way has one secret for all of them. */
function browserOf(c: Context<AppEnv>): string {
  const known = getCookie(c, browserCookieName(c)) ?? '';
  return isBrowserSecret(known) ? known : newBrowserSecret();
}

function rememberBrowser(c: Context<AppEnv>, browser: string): void {
  setCookie(c, browserCookieName(c), browser, { ...cookieOptions(c), maxAge: FLOW_LIFETIME_MS / 1000 });
}

function browserCookieName(c: Context<AppEnv>): string {
  return c.get('secure') ? '__Host-gptj_oauth' : 'gptj_oauth';
}

function toIdentityGet(identity: Identity): IdentityGet {
  return {
    id: identity.id,
    provider: identity.provider,
    name: identity.name,
    created_at: toTimestamp(identity.createdAt),
    last_used: identity.lastUsedAt === null ? null : toTimestamp(identity.lastUsedAt),
  };
}
