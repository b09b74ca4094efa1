import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { Hono } from 'hono';
import { listen } from '../http/listen.ts';
import type { OAuthProviderSettings } from '../identity/oauth/oauth-provider.ts';

/** What a provider was asked to let somebody in with. */
interface Approval {
  readonly redirectUri: string;
  readonly challenge: string;
  readonly nonce: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** A provider on this machine whose users are whoever a test wants. It holds to the rules, unless it is told not to. */
export interface OidcServer {
  readonly settings: OAuthProviderSettings;
  /** The same machine as a GitHub Enterprise Server. */
  readonly gitHub: OAuthProviderSettings;
  /** Who signs in next. */
  user: Record<string, unknown>;
  /** Claims of ID tokens that are not as they should be. */
  forged: Record<string, unknown>;
  /** What signs ID tokens; another key than the published one forges them. */
  key: KeyObject | null;
  /** Whether ID tokens leave addresses to the userinfo endpoint. */
  terse: boolean;
  /** Answers nothing but errors. */
  down: boolean;
  /** What GitHub's API says of the addresses of `user`. */
  emails: readonly { readonly email: string; readonly primary: boolean; readonly verified: boolean }[];
  /** Let `user` in: the query of the address that the browser is sent back to. */
  approve(authorizationUrl: string): URLSearchParams;
  close(): Promise<void>;
}

const CLIENT_ID = 'gptj';
const CLIENT_SECRET = 'hunter2-client-secret';
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 });

export async function openOidcServer(): Promise<OidcServer> {
  const approvals = new Map<string, Approval>();
  const tokens = new Map<string, Approval>();
  const app = new Hono();
  app.use(async (c, next) => (it.down ? c.text('down', 503) : await next()));
  app.get('/.well-known/openid-configuration', (c) =>
    c.json({
      issuer: url,
      authorization_endpoint: `${url}/authorize`,
      token_endpoint: `${url}/token`,
      userinfo_endpoint: `${url}/userinfo`,
      jwks_uri: `${url}/jwks`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      authorization_response_iss_parameter_supported: true,
    }),
  );
  app.get('/jwks', (c) =>
    c.json({ keys: [{ ...RSA.publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'RS256', use: 'sig' }] }),
  );
  const redeem = (form: URLSearchParams, secret: string): Approval | null => {
    const code = form.get('code') ?? '';
    const approval = approvals.get(code);
    // Good once.
    approvals.delete(code);
    if (approval === undefined || secret !== CLIENT_SECRET) return null;
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    const fits = form.get('redirect_uri') === approval.redirectUri && challenge === approval.challenge;
    return fits ? approval : null;
  };
  const tokenOf = (approval: Approval): string => {
    const token = `access-${randomBytes(8).toString('hex')}`;
    tokens.set(token, approval);
    return token;
  };
  const holderOf = (header: string | undefined): Approval | undefined =>
    tokens.get(header?.slice('Bearer '.length) ?? '');

  app.post('/token', async (c) => {
    const basic = Buffer.from((c.req.header('authorization') ?? '').slice('Basic '.length), 'base64').toString();
    const secret = decodeURIComponent(basic.split(':')[1] ?? '');
    const approval = redeem(new URLSearchParams(await c.req.text()), secret);
    if (approval === null) return c.json({ error: 'invalid_grant' }, 400);
    const now = Math.floor(Date.now() / 1000);
    const { sub, ...rest } = approval.claims;
    const payload = {
      iss: url,
      aud: CLIENT_ID,
      iat: now,
      exp: now + 60,
      sub,
      nonce: approval.nonce,
      ...(it.terse ? {} : rest),
      ...it.forged,
    };
    const idToken = signed({ alg: 'RS256', kid: 'one' }, payload, it.key ?? RSA.privateKey);
    return c.json({ access_token: tokenOf(approval), token_type: 'Bearer', id_token: idToken });
  });
  app.get('/userinfo', (c) => c.json({ ...holderOf(c.req.header('authorization'))?.claims }));

  app.post('/login/oauth/access_token', async (c) => {
    const form = new URLSearchParams(await c.req.text());
    const approval = redeem(form, form.get('client_secret') ?? '');
    // GitHub tells errors with 200.
    if (approval === null) return c.json({ error: 'bad_verification_code' });
    return c.json({ access_token: tokenOf(approval), token_type: 'bearer', scope: 'read:user,user:email' });
  });
  app.get('/api/v3/user', (c) => {
    const claims = holderOf(c.req.header('authorization'))?.claims;
    return claims === undefined ? c.json({}, 401) : c.json({ id: claims.id, login: claims.login });
  });
  app.get('/api/v3/user/emails', (c) => c.json(it.emails));

  const listener = await listen(async (request) => await app.fetch(request), { host: '127.0.0.1', port: 0 });
  const { url } = listener;
  const account = { clientId: CLIENT_ID, clientSecret: CLIENT_SECRET };
  const it: OidcServer = {
    settings: { name: 'corp', kind: 'oidc', url: `${url}/`, ...account },
    gitHub: { name: 'github', kind: 'github', url, ...account },
    user: {},
    forged: {},
    key: null,
    terse: false,
    down: false,
    emails: [],
    approve(authorizationUrl) {
      const { searchParams: asked } = new URL(authorizationUrl);
      const read = (name: string): string => asked.get(name) ?? '';
      if (read('response_type') !== 'code' || read('client_id') !== CLIENT_ID) throw new Error('not asked for a code');
      if (read('code_challenge_method') !== 'S256') throw new Error('not asked with PKCE');
      const code = randomBytes(8).toString('hex');
      const claims = { ...it.user };
      approvals.set(code, {
        redirectUri: read('redirect_uri'),
        challenge: read('code_challenge'),
        nonce: read('nonce'),
        claims,
      });
      const isGitHub = authorizationUrl.includes('/login/oauth/');
      return new URLSearchParams({ code, state: read('state'), ...(isGitHub ? {} : { iss: url }) });
    },
    close: () => listener.close(),
  };
  return it;
}

function signed(header: object, payload: object, key: KeyObject): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part(header)}.${part(payload)}`;
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
}
