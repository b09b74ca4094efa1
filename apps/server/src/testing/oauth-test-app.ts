import assert from 'node:assert/strict';
import { type SessionGet, sessionGetSchema } from '@gptj-cloud/protocol';
import { openOAuthProviders } from '../identity/oauth/oauth-providers.ts';
import { refusal } from './browser.ts';
import { type OidcServer, openOidcServer } from './oidc-server.ts';
import { NOW, openTestApp, type TestApp } from './test-app.ts';

/** A browser that was redirected to the provider. */
export interface BegunFlow {
  readonly cookie: string;
  readonly authorizationUrl: string;
}

/** The app with the providers `corp` and `other` (OpenID Connect) and `github`, all on one local server. */
export interface OAuthTestApp {
  readonly it: TestApp;
  readonly corp: OidcServer;
  now(): Date;
  advance(ms: number): void;
  /** Undo what a test set at the provider, and move the clock beyond every rate limit. */
  reset(): void;
  begin(provider?: string, cookie?: string): Promise<BegunFlow>;
  /** Return from the provider. */
  finish(query: URLSearchParams, cookie: string, provider?: string): Promise<Response>;
  /** A whole flow, from the first request to the last redirect. */
  signIn(user: Record<string, unknown>, provider?: string): Promise<Response>;
  /** The session of the cookie that a reply sets. */
  sessionOf(reply: Response): Promise<SessionGet>;
  close(): Promise<void>;
}

export async function openOAuthTestApp(): Promise<OAuthTestApp> {
  let now: Date = NOW;
  const corp = await openOidcServer();
  const oauthProviders = await openOAuthProviders([corp.settings, corp.gitHub, { ...corp.settings, name: 'other' }]);
  const it = await openTestApp({ clock: () => now, oauthProviders });
  const advance = (ms: number): void => {
    now = new Date(now.getTime() + ms);
  };
  const begin = async (provider = 'corp', cookie = ''): Promise<BegunFlow> => {
    const reply = await it.app.request(`/v2/auth/oauth/${provider}`, { headers: { cookie } });
    assert.equal(reply.status, 302, await reply.clone().text());
    const set = reply.headers.get('set-cookie') ?? '';
    assert.match(set, /^gptj_oauth=[\w-]{43}; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax$/);
    return { cookie: set.split(';')[0] ?? '', authorizationUrl: reply.headers.get('location') ?? '' };
  };
  const finish = async (query: URLSearchParams, cookie: string, provider = 'corp'): Promise<Response> =>
    await it.app.request(`/v2/auth/oauth/${provider}/callback?${query}`, { headers: { cookie } });
  return {
    it,
    corp,
    now: () => now,
    advance,
    reset() {
      advance(2 * 3_600_000);
      Object.assign(corp, { forged: {}, key: null, terse: false, down: false, emails: [] });
    },
    begin,
    finish,
    async signIn(user, provider = 'corp') {
      corp.user = user;
      const { cookie, authorizationUrl } = await begin(provider);
      return await finish(corp.approve(authorizationUrl), cookie, provider);
    },
    async sessionOf(reply) {
      assert.equal(reply.status, 303, await reply.clone().text());
      assert.equal(reply.headers.get('location'), '/v2/auth/signed-in');
      const cookie = /gptj_session=[\w-]+/.exec(reply.headers.get('set-cookie') ?? '')?.[0] ?? '';
      return sessionGetSchema.parse(await (await it.app.request('/v2/auth/session', { headers: { cookie } })).json());
    },
    async close() {
      await it.close();
      await corp.close();
    },
  };
}

/** Claims of a user at the provider. */
export function claimsOf(sub: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { sub, email: `${sub}@example.com`, email_verified: true, preferred_username: sub, ...more };
}

/** Expect a refusal that begins no session. */
export async function assertRefused(reply: Response | Promise<Response>, expected: string): Promise<void> {
  const { headers } = await reply;
  assert.equal(await refusal(await reply), expected);
  assert.doesNotMatch(headers.get('set-cookie') ?? '', /gptj_session/);
}
