import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import { assertRefused, claimsOf, type OAuthTestApp, openOAuthTestApp } from '../../testing/oauth-test-app.ts';
import type { OidcServer } from '../../testing/oidc-server.ts';
import type { TestApp } from '../../testing/test-app.ts';
import { openOAuthProviders } from './oauth-providers.ts';

let app: OAuthTestApp;
let it: TestApp;
let corp: OidcServer;
before(async () => {
  app = await openOAuthTestApp();
  ({ it, corp } = app);
});
after(() => app.close());
beforeEach(() => app.reset());

const begin: OAuthTestApp['begin'] = (...args) => app.begin(...args);
const finish: OAuthTestApp['finish'] = (...args) => app.finish(...args);
const signIn: OAuthTestApp['signIn'] = (...args) => app.signIn(...args);
const sessionOf: OAuthTestApp['sessionOf'] = (...args) => app.sessionOf(...args);

test('the first sign-in creates an account, and later ones sign in to it', async () => {
  const first = await sessionOf(await signIn(claimsOf('percy')));
  const { user } = first;
  assert.deepEqual([user.username, user.email, user.verified], ['percy', 'percy@example.com', true]);
  assert.deepEqual([user.role, user.subscribed], ['member', false]);
  const again = await sessionOf(
    await signIn(claimsOf('percy', { email: 'moved@example.com', preferred_username: 'other' })),
  );
  assert.equal(again.user.id, user.id);
  assert.equal(again.user.email, 'percy@example.com');
  // Another user with the same name at the provider gets another username.
  const namesake = await sessionOf(await signIn(claimsOf('percy2', { preferred_username: 'Percy' })));
  assert.match(namesake.user.username, /^Percy-[0-9a-f]{8}$/);
  const strange = await sessionOf(await signIn(claimsOf('strange', { preferred_username: '\u202e<b>\r\n' })));
  assert.match(strange.user.username, /^[\w-]{3,24}$/);
});

test('reads the address from the userinfo endpoint when the ID token has none', async () => {
  corp.terse = true;
  assert.equal((await sessionOf(await signIn(claimsOf('terse')))).user.email, 'terse@example.com');
});

test('a flow is valid for one browser, one provider, one callback and ten minutes', async () => {
  corp.user = claimsOf('percy');
  const { cookie, authorizationUrl } = await begin();
  const query = corp.approve(authorizationUrl);
  const otherBrowser = await begin();
  await assertRefused(finish(query, ''), '400 oauth_state_invalid');
  await assertRefused(finish(query, otherBrowser.cookie), '400 oauth_state_invalid');
  await assertRefused(finish(query, cookie, 'other'), '400 oauth_state_invalid');
  for (const state of ['', 'x'.repeat(43)]) {
    await assertRefused(
      finish(new URLSearchParams({ ...Object.fromEntries(query), state }), cookie),
      '400 oauth_state_invalid',
    );
  }
  await sessionOf(await finish(query, cookie));
  await assertRefused(finish(query, cookie), '400 oauth_state_invalid');

  const late = await begin();
  const lateQuery = corp.approve(late.authorizationUrl);
  app.advance(600_000);
  await assertRefused(finish(lateQuery, late.cookie), '400 oauth_state_invalid');
});

test('parallel callbacks of one flow sign in once; parallel first sign-ins of one user create one account', async () => {
  corp.user = claimsOf('twice');
  const [one, two] = [await begin(), await begin()];
  const query = corp.approve(one.authorizationUrl);
  const same = await Promise.all([finish(query, one.cookie), finish(query, one.cookie)]);
  assert.deepEqual(same.map(({ status }) => status).sort(), [303, 400]);

  corp.user = claimsOf('parallel');
  const [first, second] = [await begin(), two];
  const replies = await Promise.all(
    [first, second].map(({ cookie, authorizationUrl }) => finish(corp.approve(authorizationUrl), cookie)),
  );
  assert.ok(replies.some(({ status }) => status === 303));
  const { user } = await sessionOf(await signIn(claimsOf('parallel')));
  assert.equal(user.username, 'parallel');
});

test('one browser can have several flows at once', async () => {
  corp.user = claimsOf('percy');
  const one = await begin();
  const two = await begin('corp', one.cookie);
  assert.equal(one.cookie, two.cookie);
  await sessionOf(await finish(corp.approve(one.authorizationUrl), one.cookie));
  await sessionOf(await finish(corp.approve(two.authorizationUrl), two.cookie));
  const planted = await begin('corp', 'gptj_oauth=short');
  assert.notEqual(planted.cookie, 'gptj_oauth=short');
});

test('refuses ID tokens with a wrong nonce, issuer, audience, time or signature', async () => {
  const past = Math.floor(Date.now() / 1000) - 3600;
  const forgeries: Record<string, unknown>[] = [
    { nonce: 'x' },
    { nonce: undefined },
    { iss: 'https://evil.example' },
    { aud: 'another-client' },
    { exp: past, iat: past - 60 },
    { sub: undefined },
  ];
  for (const forged of forgeries) {
    corp.forged = forged;
    await assertRefused(signIn(claimsOf('percy')), '400 oauth_failed');
  }
  corp.forged = {};
  corp.key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  await assertRefused(signIn(claimsOf('percy')), '400 oauth_failed');
});

test('refuses a reply of another issuer and the code of another flow', async () => {
  corp.user = claimsOf('percy');
  const mixed = await begin();
  const query = corp.approve(mixed.authorizationUrl);
  query.set('iss', 'https://evil.example');
  await assertRefused(finish(query, mixed.cookie), '400 oauth_failed');
  const silent = await begin();
  const withoutIssuer = corp.approve(silent.authorizationUrl);
  withoutIssuer.delete('iss');
  await assertRefused(finish(withoutIssuer, silent.cookie), '400 oauth_failed');

  const victim = corp.approve((await begin()).authorizationUrl);
  const mallory = await begin();
  const injected = corp.approve(mallory.authorizationUrl);
  injected.set('code', victim.get('code') ?? '');
  await assertRefused(finish(injected, mallory.cookie), '400 oauth_failed');
});

test('a denied access returns a page without markup from the query', async () => {
  const { cookie, authorizationUrl } = await begin();
  const query = new URLSearchParams({ error: 'access_denied', error_description: '<script>alert(1)</script>' });
  query.set('state', corp.approve(authorizationUrl).get('state') ?? '');
  query.set('iss', corp.gitHub.url);
  const headers = { cookie, accept: 'text/html,*/*' };
  const reply = await it.app.request(`/v2/auth/oauth/corp/callback?${query}`, { headers });
  const html = await reply.text();
  assert.equal(reply.status, 400);
  assert.match(html, /sign-in with corp failed: access was denied/);
  assert.doesNotMatch(html, /<script|alert/);
  assert.match(reply.headers.get('content-security-policy') ?? '', /^default-src 'none'; base-uri/);
  const unknown = await it.app.request('/v2/auth/oauth/%3Cscript%3E', { headers });
  assert.equal(unknown.status, 404);
  assert.doesNotMatch(await unknown.text(), /<script/);
});

test('every redirect target is this server, whatever the query and the headers contain', async () => {
  corp.user = claimsOf('percy');
  const address =
    '/v2/auth/oauth/corp?next=https://evil.example&redirect_uri=https://evil.example&return_to=//evil.example';
  const reply = await it.app.request(address, {
    headers: { host: 'evil.example', 'x-forwarded-host': 'evil.example' },
  });
  const location = reply.headers.get('location') ?? '';
  assert.equal(new URL(location).searchParams.get('redirect_uri'), 'http://test/v2/auth/oauth/corp/callback');
  assert.doesNotMatch(location, /evil/);
  const query = corp.approve(location);
  query.set('next', 'https://evil.example');
  await sessionOf(await finish(query, (reply.headers.get('set-cookie') ?? '').split(';')[0] ?? ''));
});

test('replies oauth_unavailable while a provider is down, and works again afterwards', async () => {
  corp.down = true;
  const fresh = await openOAuthProviders([corp.settings]);
  const provider = fresh.get('corp');
  const flow = { redirectUri: 'http://test/cb', state: 's', nonce: 'n', codeVerifier: 'v'.repeat(43) };
  await assert.rejects(async () => provider?.authorizationUrl(flow), { code: 'oauth_unavailable' });
  corp.down = false;
  const url = await provider?.authorizationUrl(flow);
  assert.equal(url?.searchParams.get('code_challenge_method'), 'S256');
});

test('signs in through GitHub by its verified primary address', async () => {
  const octocat = { id: 583231, login: 'octocat' };
  corp.emails = [
    { email: 'old@example.com', primary: false, verified: true },
    { email: 'Octocat@Example.com', primary: true, verified: false },
  ];
  await assertRefused(signIn(octocat, 'github'), '403 oauth_email_unverified');
  corp.emails = corp.emails.map((each) => ({ ...each, verified: true }));
  const { user } = await sessionOf(await signIn(octocat, 'github'));
  assert.deepEqual([user.username, user.email, user.verified], ['octocat', 'octocat@example.com', true]);
  corp.emails = [];
  assert.equal((await sessionOf(await signIn({ ...octocat, login: 'renamed' }, 'github'))).user.id, user.id);
  // The same subject at another provider is another user.
  await assertRefused(signIn(claimsOf('583231', { email_verified: false })), '403 oauth_email_unverified');
});

const at = (address: string) => ({ peer: { address, encrypted: false, disconnect: () => {} } });
const beginAt = async (address: string, headers: Record<string, string> = {}): Promise<Response> =>
  await it.app.request('/v2/auth/oauth/corp', { headers }, at(address));

test('limits the flows of one address for each hour, without counting finished ones', async () => {
  const began = (): Promise<Response> => beginAt('198.51.100.1');
  for (let i = 0; i < 25; i++) await sessionOf(await signIn(claimsOf('percy')));
  const statuses: number[] = [];
  for (let i = 0; i < 22; i++) statuses.push((await began()).status);
  assert.deepEqual([...new Set(statuses)], [302, 429]);
  assert.equal(statuses.indexOf(429), 20);
});

test('counts a browser by its cookie, so that others at its address do not stop its sign-ins', async () => {
  const first = await beginAt('198.51.100.2');
  const cookie = /^[^;]+/.exec(first.headers.get('set-cookie') ?? '')?.[0] ?? '';
  for (let i = 0; i < 25; i++) await beginAt('198.51.100.2');
  assert.equal((await beginAt('198.51.100.2')).status, 429);
  const statuses: number[] = [];
  for (let i = 0; i < 22; i++) statuses.push((await beginAt('198.51.100.2', { cookie })).status);
  assert.deepEqual([statuses[0], statuses[19], statuses[21]], [302, 302, 429]);
});

test('refuses to begin a sign-in for an image or a frame of a page, and does not count it', async () => {
  for (let i = 0; i < 30; i++) {
    for (const place of ['image', 'iframe', 'empty']) {
      assert.equal((await beginAt('198.51.100.3', { 'sec-fetch-dest': place })).status, 403);
    }
  }
  assert.equal((await beginAt('198.51.100.3', { 'sec-fetch-dest': 'document' })).status, 302);
});

test('logs no codes, tokens, states or secrets', async () => {
  corp.forged = { nonce: 'x' };
  const { cookie, authorizationUrl } = await begin();
  corp.user = claimsOf('percy');
  const query = corp.approve(authorizationUrl);
  await finish(query, cookie);
  const lines = it.logLines.join('');
  assert.match(lines, /sign-in by a provider failed/);
  const secrets = [query.get('code'), query.get('state'), cookie.split('=')[1], 'hunter2', 'access-', 'eyJ', 'percy@'];
  for (const secret of secrets) assert.ok(!lines.includes(secret ?? 'absent'), secret ?? 'absent');
});

test('lists the providers without sign-in', async () => {
  const reply = await it.app.request('/v2/auth/oauth');
  assert.deepEqual(await reply.json(), { data: [{ name: 'corp' }, { name: 'github' }, { name: 'other' }] });
});
