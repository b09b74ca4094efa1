import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { Hono } from 'hono';
import { listen } from '../http/listen.ts';
import type { OAuthProviderSettings } from '../identity/oauth/oauth-provider.ts';

/** An authorization request that the user has approved. */
interface Approval {
  readonly redirectUri: string;
  readonly challenge: string;
  readonly nonce: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** An OpenID Connect provider on this machine. A test sets its user and makes it break single rules of the protocol. */
export interface OidcServer {
  readonly settings: OAuthProviderSettings;
  /** The same server as a GitHub Enterprise Server. */
  readonly gitHub: OAuthProviderSettings;
  /** The claims of the user who signs in next. */
  user: Record<string, unknown>;
  /** Claims that replace those of ID tokens. */
  forged: Record<string, unknown>;
  /** The key that signs ID tokens instead of the published one. */
  key: KeyObject | null;
  /** Whether only the userinfo endpoint has the e-mail address, not the ID token. */
  terse: boolean;
  /** Every request is answered with 503. */
  down: boolean;
  /** The e-mail addresses of `user` in GitHub's API. */
  emails: readonly { readonly email: string; readonly primary: boolean; readonly verified: boolean }[];
  /** Approve the request for `user`; the query of the redirect back to the client. */
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
    // A code can be used once.
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
  const approvalOf = (header: string | undefined): Approval | undefined =>
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
  app.get('/userinfo', (c) => c.json({ ...approvalOf(c.req.header('authorization'))?.claims }));

  app.post('/login/oauth/access_token', async (c) => {
    const form = new URLSearchParams(await c.req.text());
    const approval = redeem(form, form.get('client_secret') ?? '');
    // GitHub sends errors with status 200.
    if (approval === null) return c.json({ error: 'bad_verification_code' });
    return c.json({ access_token: tokenOf(approval), token_type: 'bearer', scope: 'read:user,user:email' });
  });
  app.get('/api/v3/user', (c) => {
    const claims = approvalOf(c.req.header('authorization'))?.claims;
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
      if (read('response_type') !== 'code' || read('client_id') !== CLIENT_ID)
        throw new Error('expected response_type code of the registered client');
      if (read('code_challenge_method') !== 'S256') throw new Error('expected PKCE with S256');
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
