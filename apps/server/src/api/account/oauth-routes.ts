/** Social sign-in (OAuth 2, OpenID Connect), and the identities linked to an account. */
import {
  ApiError,
  authorizationUrlSchema,
  identityCreateSchema,
  identityGetSchema,
  oauthCodeSchema,
  oauthProviderSchema,
  sessionGetSchema,
} from '@gptj-cloud/protocol';
import type { Context } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { z } from 'zod';
import type { HttpEnv } from '../../http/http-env.ts';
import { jsonBody } from '../../http/json-body.ts';
import { HTML_PAGE, json, listSchema, NO_CONTENT } from '../../http/openapi/operation.ts';
import { query } from '../../http/parameter.ts';
import { defineRoute } from '../../http/route.ts';
import type { AccountDeps } from '../../identity/account-deps.ts';
import { getIdentities, unlinkIdentity } from '../../identity/oauth/identities.ts';
import { FLOW_LIFETIME_MS, isBrowserSecret, newBrowserSecret } from '../../identity/oauth/oauth-flow-store.ts';
import {
  type BegunFlow,
  beginOAuth,
  finishOAuth,
  finishOAuthWithCode,
  type OAuthOutcome,
} from '../../identity/oauth/oauth-sign-in.ts';
import { confirmInPerson } from '../../identity/two-factor/two-factor.ts';
import { type ApiRoute, inPerson, PUBLIC, UNVERIFIED_SESSION } from '../access/access.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';
import { linkPage } from './link-page.ts';
import { clientOf, cookieOptions, setSignInCookies, toSessionGet } from './session-reply.ts';
import { errorPage, signedInPage } from './signed-in-page.ts';

const record = { errors: pipelineCloudErrors, tag: 'signing in with a provider', holdsSecret: true } as const;
const publicGet = { ...record, method: 'get', access: PUBLIC } as const;

export function oauthRoutes(deps: AccountDeps): readonly ApiRoute[] {
  return [
    defineRoute({
      ...publicGet,
      path: '/v2/auth/oauth',
      summary: 'List the providers',
      replies: { 200: json(listSchema(oauthProviderSchema), 'The providers of this server.') },
      handle: () => ({ data: [...deps.providers.keys()].map((name) => ({ name })) }),
    }),
    defineRoute({
      ...publicGet,
      path: '/v2/auth/oauth/:provider',
      summary: 'Begin to sign in, for browsers',
      replies: { 302: { description: 'To the provider; a cookie is set that binds the sign-in to the browser.' } },
      handle: ({ path, caller }, c) =>
        withErrorPage(c, async () => {
          refuseEmbedded(c);
          const browser = browserSecret(c);
          const begun = { provider: path.provider, ...browser, sessionId: null };
          const url = await beginOAuth(deps, begun, caller);
          setBrowserCookie(c, browser.browser);
          return c.redirect(url.href, 302);
        }),
    }),
    defineRoute({
      ...publicGet,
      path: '/v2/auth/oauth/:provider/callback',
      summary: 'Address to which the provider sends the browser back',
      parameters: {
        code: query('code', 'The authorization code of the provider.', z.string().optional()),
        state: query('state', 'The state that the provider was given.', z.string().optional()),
      },
      replies: { 303: { description: 'To a page of this server; the cookie of the session is set.' } },
      handle: ({ path, caller }, c) =>
        withErrorPage(c, async () => {
          const browser = getCookie(c, browserCookieName(c)) ?? '';
          // The provider's library reads further parameters, such as `iss` and `error`.
          const query = new URL(c.req.url).searchParams;
          const callback = { provider: path.provider, browser, query, client: clientOf(c) };
          const outcome = await finishOAuth(deps, callback, caller);
          if (outcome.kind === 'signed_in') setSignInCookies(c, outcome.signedIn);
          return c.redirect(pageAfter(outcome), 303);
        }),
    }),
    defineRoute({
      ...record,
      method: 'post',
      path: '/v2/auth/oauth-code',
      access: PUBLIC,
      summary: 'Send the second factor, where the account has one',
      body: jsonBody(oauthCodeSchema),
      bodyExample: { token: 'TOKEN_OF_THE_PAGE', code: '123456' },
      replies: { 200: json(sessionGetSchema, 'The session; its cookie is set.') },
      async handle({ body, caller }, c) {
        const signedIn = await finishOAuthWithCode(deps, body, caller, clientOf(c));
        setSignInCookies(c, signedIn);
        return toSessionGet(signedIn, deps.plans);
      },
    }),
    defineRoute({
      ...publicGet,
      path: '/v2/auth/oauth-code',
      summary: 'The page that asks for the second factor',
      replies: { 200: HTML_PAGE },
      handle: () => linkPage('oauth-code'),
    }),
    defineRoute({
      ...publicGet,
      path: '/v2/auth/signed-in',
      summary: 'The page after a sign-in',
      replies: { 200: HTML_PAGE },
      handle: () => signedInPage(),
    }),
    defineRoute({
      ...publicGet,
      path: '/v2/auth/linked',
      summary: 'The page after an identity was linked',
      replies: { 200: HTML_PAGE },
      handle: () => signedInPage(),
    }),
    ...identityRoutes(deps),
  ];
}

function identityRoutes(deps: AccountDeps): readonly ApiRoute[] {
  return [
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/auth/identities',
      access: UNVERIFIED_SESSION,
      summary: 'List the linked identities',
      replies: { 200: json(listSchema(identityGetSchema), 'Identities, the oldest first.') },
      handle: ({ signedIn: { user } }) => getIdentities(deps, user.id),
    }),
    defineRoute({
      ...record,
      method: 'post',
      path: '/v2/auth/identities',
      access: UNVERIFIED_SESSION,
      summary: 'Begin to link an identity of a provider',
      body: jsonBody(identityCreateSchema),
      bodyExample: { provider: 'github', password: 'Seven-green-boats-9' },
      replies: { 200: json(authorizationUrlSchema, 'Address to open in the browser.') },
      async handle({ body: { provider, ...proof }, signedIn: { user, session }, caller }, c) {
        // An attacker could register with another person's address and wait for its owner to link an identity.
        if (user.verifiedAt === null) throw new ApiError('email_unverified');
        await confirmInPerson(deps, user, proof, caller);
        const browser = browserSecret(c);
        const url = await beginOAuth(deps, { provider, ...browser, sessionId: session.id }, caller);
        setBrowserCookie(c, browser.browser);
        return { authorization_url: url.href };
      },
    }),
    defineRoute({
      ...record,
      method: 'delete',
      path: '/v2/auth/identities/:id',
      access: inPerson(UNVERIFIED_SESSION, { tokens: 'scope' }),
      summary: 'Unlink an identity, except the only way to sign in',
      replies: { 204: NO_CONTENT },
      handle: ({ path, signedIn: { user }, caller }) => unlinkIdentity(deps, user.id, path.id, caller),
    }),
  ];
}

/** Always a page of this server: no input of a client or a provider chooses the target. */
function pageAfter(outcome: OAuthOutcome): string {
  if (outcome.kind === 'code_needed') return `/v2/auth/oauth-code#${outcome.token}`;
  return outcome.kind === 'linked' ? '/v2/auth/linked#linked' : '/v2/auth/signed-in';
}

/** Browsers follow links to these routes and get an error as a page; programs get it as JSON. */
async function withErrorPage(c: Context<HttpEnv>, work: () => Promise<Response>): Promise<Response> {
  try {
    return await work();
  } catch (error) {
    const isBrowser = (c.req.header('accept') ?? '').includes('text/html');
    if (error instanceof ApiError && isBrowser) return errorPage(error, c.get('requestId'));
    throw error;
  }
}

/** One secret serves all sign-ins that a browser has under way. */
function browserSecret(c: Context<HttpEnv>): Pick<BegunFlow, 'browser' | 'isKnownBrowser'> {
  const known = getCookie(c, browserCookieName(c)) ?? '';
  const isKnownBrowser = isBrowserSecret(known);
  return { browser: isKnownBrowser ? known : newBrowserSecret(), isKnownBrowser };
}

/** Any page can embed an image or a frame of this address; a sign-in is begun by opening it. Browsers send the header. */
function refuseEmbedded(c: Context<HttpEnv>): void {
  const place = c.req.header('sec-fetch-dest') ?? 'document';
  if (place !== 'document') throw new ApiError('oauth_embedded', { place: place.slice(0, 40) });
}

function setBrowserCookie(c: Context<HttpEnv>, browser: string): void {
  setCookie(c, browserCookieName(c), browser, { ...cookieOptions(c), maxAge: FLOW_LIFETIME_MS / 1000 });
}

function browserCookieName(c: Context<HttpEnv>): string {
  return c.get('secure') ? '__Host-gptj_oauth' : 'gptj_oauth';
}
