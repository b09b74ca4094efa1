import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import { authorizationUrlSchema, identityGetSchema, sessionGetSchema } from '@gptj-cloud/protocol';
import { z } from 'zod';
import {
  type Browser,
  mailedSecret,
  PASSWORD,
  postAsNobody,
  refusal,
  registerAndSignIn,
  signInAs,
} from '../../testing/browser.ts';
import { type OidcServer, openOidcServer } from '../../testing/oidc-server.ts';
import { NOW, openTestApp, type TestApp } from '../../testing/test-app.ts';
import { turnTwoFactorOn } from '../../testing/two-factor.ts';
import { openOAuthProviders } from './oauth-providers.ts';

let it: TestApp;
let corp: OidcServer;
let now: Date = NOW;
before(async () => {
  corp = await openOidcServer();
  const providers = await openOAuthProviders([corp.settings, corp.gitHub, { ...corp.settings, name: 'other' }]);
  it = await openTestApp({ clock: () => now, oauthProviders: providers });
});
after(async () => {
  await it.close();
  await corp.close();
});
beforeEach(() => {
  // Far enough apart that nobody has asked too often.
  now = new Date(now.getTime() + 2 * 3_600_000);
  Object.assign(corp, { forged: {}, key: null, terse: false, down: false, emails: [] });
});

const person = (sub: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  sub,
  email: `${sub}@example.com`,
  email_verified: true,
  preferred_username: sub,
  ...more,
});

/** A browser that was sent to the provider. */
interface Sent {
  readonly cookie: string;
  readonly authorizationUrl: string;
}

async function begin(provider = 'corp', cookie = ''): Promise<Sent> {
  const reply = await it.app.request(`/v2/auth/oauth/${provider}`, { headers: { cookie } });
  assert.equal(reply.status, 302, await reply.clone().text());
  const set = reply.headers.get('set-cookie') ?? '';
  assert.match(set, /^gptj_oauth=[\w-]{43}; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax$/);
  return { cookie: set.split(';')[0] ?? '', authorizationUrl: reply.headers.get('location') ?? '' };
}

async function come(query: URLSearchParams, cookie: string, provider = 'corp'): Promise<Response> {
  return await it.app.request(`/v2/auth/oauth/${provider}/callback?${query}`, { headers: { cookie } });
}

/** From the first click to the last redirect. */
async function signIn(user: Record<string, unknown>, provider = 'corp'): Promise<Response> {
  corp.user = user;
  const { cookie, authorizationUrl } = await begin(provider);
  return await come(corp.approve(authorizationUrl), cookie, provider);
}

/** Whom the cookie of a reply signs in. */
async function whoIs(reply: Response): Promise<z.infer<typeof sessionGetSchema>> {
  assert.equal(reply.status, 303, await reply.clone().text());
  assert.equal(reply.headers.get('location'), '/v2/auth/signed-in');
  const cookie = /gptj_session=[\w-]+/.exec(reply.headers.get('set-cookie') ?? '')?.[0] ?? '';
  return sessionGetSchema.parse(await (await it.app.request('/v2/auth/session', { headers: { cookie } })).json());
}

async function fails(reply: Response | Promise<Response>, expected: string): Promise<void> {
  const { headers } = await reply;
  assert.equal(await refusal(await reply), expected);
  assert.doesNotMatch(headers.get('set-cookie') ?? '', /gptj_session/);
}

const identitiesOf = async (by: Browser): Promise<z.infer<typeof identityGetSchema>[]> =>
  z.object({ data: z.array(identityGetSchema) }).parse(await (await by.ask('/v2/auth/identities')).json()).data;

const linkTo = (
  by: Browser,
  provider = 'corp',
  proof: Record<string, unknown> = { password: PASSWORD },
): Promise<Response> => by.ask('/v2/auth/identities', 'POST', { provider, ...proof });

/** Link an identity to who is signed in. */
async function link(by: Browser, user: Record<string, unknown>): Promise<Response> {
  corp.user = user;
  const begun = await linkTo(by);
  const { authorization_url: url } = authorizationUrlSchema.parse(await begun.json());
  const cookie = (begun.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  return await come(corp.approve(url), cookie);
}

async function verifiedUser(username: string): Promise<Browser> {
  const browser = await registerAndSignIn(it, username);
  const token = mailedSecret(it, `${username}@example.com`);
  assert.equal((await postAsNobody(it, '/v2/auth/verify-email', { token })).status, 200);
  return browser;
}

test('who comes for the first time gets an account, and is signed in to it from then on', async () => {
  const first = await whoIs(await signIn(person('percy')));
  const { user } = first;
  assert.deepEqual([user.username, user.email, user.verified], ['percy', 'percy@example.com', true]);
  assert.deepEqual([user.role, user.subscribed], ['member', false]);
  const again = await whoIs(await signIn(person('percy', { email: 'moved@example.com', preferred_username: 'other' })));
  assert.equal(again.user.id, user.id);
  assert.equal(again.user.email, 'percy@example.com');
  // The name is taken, here by a person of the same name.
  const namesake = await whoIs(await signIn(person('percy2', { preferred_username: 'Percy' })));
  assert.match(namesake.user.username, /^Percy-[0-9a-f]{8}$/);
  const strange = await whoIs(await signIn(person('strange', { preferred_username: '\u202e<b>\r\n' })));
  assert.match(strange.user.username, /^[\w-]{3,24}$/);
});

test('addresses are also taken from the userinfo endpoint', async () => {
  corp.terse = true;
  assert.equal((await whoIs(await signIn(person('terse')))).user.email, 'terse@example.com');
});

test('a sign-in belongs to the browser that began it, to its provider, and to one return in time', async () => {
  corp.user = person('percy');
  const { cookie, authorizationUrl } = await begin();
  const query = corp.approve(authorizationUrl);
  const elsewhere = await begin();
  await fails(come(query, ''), '400 oauth_state_invalid');
  await fails(come(query, elsewhere.cookie), '400 oauth_state_invalid');
  await fails(come(query, cookie, 'other'), '400 oauth_state_invalid');
  for (const state of ['', 'x'.repeat(43)]) {
    await fails(come(new URLSearchParams({ ...Object.fromEntries(query), state }), cookie), '400 oauth_state_invalid');
  }
  await whoIs(await come(query, cookie));
  await fails(come(query, cookie), '400 oauth_state_invalid');

  const late = await begin();
  const lateQuery = corp.approve(late.authorizationUrl);
  now = new Date(now.getTime() + 600_000);
  await fails(come(lateQuery, late.cookie), '400 oauth_state_invalid');
});

test('of two that come back with the same answer at once, one gets in; of two new ones of one person, one account is made', async () => {
  corp.user = person('twice');
  const [one, two] = [await begin(), await begin()];
  const query = corp.approve(one.authorizationUrl);
  const same = await Promise.all([come(query, one.cookie), come(query, one.cookie)]);
  assert.deepEqual(same.map(({ status }) => status).sort(), [303, 400]);

  corp.user = person('parallel');
  const [first, second] = [await begin(), two];
  const replies = await Promise.all(
    [first, second].map(({ cookie, authorizationUrl }) => come(corp.approve(authorizationUrl), cookie)),
  );
  assert.ok(replies.some(({ status }) => status === 303));
  const { user } = await whoIs(await signIn(person('parallel')));
  assert.equal(user.username, 'parallel');
});

test('a browser may have several sign-ins under way', async () => {
  corp.user = person('percy');
  const one = await begin();
  const two = await begin('corp', one.cookie);
  assert.equal(one.cookie, two.cookie);
  await whoIs(await come(corp.approve(one.authorizationUrl), one.cookie));
  await whoIs(await come(corp.approve(two.authorizationUrl), two.cookie));
  const planted = await begin('corp', 'gptj_oauth=short');
  assert.notEqual(planted.cookie, 'gptj_oauth=short');
});

test('ID tokens with a wrong nonce, issuer, audience, time or signature are refused', async () => {
  const past = Math.floor(Date.now() / 1000) - 3600;
  const forgeries: Record<string, unknown>[] = [
    { nonce: 'x' },
    { nonce: undefined },
    { iss: 'https://evil.example' },
    { aud: 'somebody-else' },
    { exp: past, iat: past - 60 },
    { sub: undefined },
  ];
  for (const forged of forgeries) {
    corp.forged = forged;
    await fails(signIn(person('percy')), '400 oauth_failed');
  }
  corp.forged = {};
  corp.key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  await fails(signIn(person('percy')), '400 oauth_failed');
});

test("another issuer's answer and a code of somebody else's flow are refused", async () => {
  corp.user = person('percy');
  const mixed = await begin();
  const query = corp.approve(mixed.authorizationUrl);
  query.set('iss', 'https://evil.example');
  await fails(come(query, mixed.cookie), '400 oauth_failed');
  const silent = await begin();
  const withoutIssuer = corp.approve(silent.authorizationUrl);
  withoutIssuer.delete('iss');
  await fails(come(withoutIssuer, silent.cookie), '400 oauth_failed');

  const victim = corp.approve((await begin()).authorizationUrl);
  const mallory = await begin();
  const injected = corp.approve(mallory.authorizationUrl);
  injected.set('code', victim.get('code') ?? '');
  await fails(come(injected, mallory.cookie), '400 oauth_failed');
});

test('who declines is told so, people as a page in which nothing of the query is markup', async () => {
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

test('one ends at a page of this server, whatever the query says', async () => {
  corp.user = person('percy');
  const asked =
    '/v2/auth/oauth/corp?next=https://evil.example&redirect_uri=https://evil.example&return_to=//evil.example';
  const reply = await it.app.request(asked, { headers: { host: 'evil.example', 'x-forwarded-host': 'evil.example' } });
  const location = reply.headers.get('location') ?? '';
  assert.equal(new URL(location).searchParams.get('redirect_uri'), 'http://test/v2/auth/oauth/corp/callback');
  assert.doesNotMatch(location, /evil/);
  const query = corp.approve(location);
  query.set('next', 'https://evil.example');
  await whoIs(await come(query, (reply.headers.get('set-cookie') ?? '').split(';')[0] ?? ''));
});

test('an address that the provider has not verified opens nothing', async () => {
  await verifiedUser('mary');
  for (const more of [{ email_verified: false }, { email_verified: undefined }, { email: 'no address' }]) {
    await fails(signIn(person('mary', more)), '403 oauth_email_unverified');
  }
  await fails(signIn(person('nobody', { email_verified: false })), '403 oauth_email_unverified');
});

test('an account is linked by its address when it has proved that, too, and is told', async () => {
  const mary = await signInAs(it, 'mary');
  assert.equal((await whoIs(await signIn(person('shelley', { email: 'Mary@Example.com' })))).user.id, mary.user.id);
  assert.match(it.mails.findLast(({ to }) => to === 'mary@example.com')?.text ?? '', /account at corp now signs in/);
  // Somebody registered the address of another, and waits.
  const squatter = await registerAndSignIn(it, 'claire');
  await fails(signIn(person('clairmont', { email: 'claire@example.com' })), '409 oauth_address_taken');
  assert.deepEqual(await identitiesOf(squatter), []);
  // Nor is the first account, before it is set up, anybody's who comes with its address.
  await fails(signIn(person('thief', { email: 'owner@localhost' })), '409 oauth_address_taken');
  assert.equal(await refusal(await linkTo(squatter)), '403 email_unverified');
});

test('who may register holds here, too', async () => {
  const settings = it.accountSettings;
  try {
    settings.registration = 'closed';
    await fails(signIn(person('late')), '403 registration_closed');
    settings.registration = 'invited';
    await fails(signIn(person('late')), '403 registration_closed');
    await whoIs(await signIn(person('percy')));
  } finally {
    settings.registration = 'open';
  }
});

test('two-factor of the account holds: without a code there is no session, and codes cannot be guessed', async () => {
  const mary = await signInAs(it, 'mary');
  const { usedCode, recoveryCodes } = await turnTwoFactorOn(mary, now);
  const reply = await signIn(person('shelley'));
  assert.equal(reply.status, 303);
  assert.doesNotMatch(reply.headers.get('set-cookie') ?? '', /gptj_session/);
  const token = /^\/v2\/auth\/oauth-code#([\w-]{32})$/.exec(reply.headers.get('location') ?? '')?.[1] ?? '';
  const step = (code: string, by = token): Promise<Response> =>
    postAsNobody(it, '/v2/auth/oauth-code', { token: by, code });
  await fails(step(usedCode), '401 code_wrong');
  const good = await step(recoveryCodes[0] ?? '');
  assert.equal(sessionGetSchema.parse(await good.json()).user.username, 'mary');
  assert.match(good.headers.get('set-cookie') ?? '', /^gptj_session=/);
  await fails(step(recoveryCodes[1] ?? ''), '400 link_invalid');

  const next = (await signIn(person('shelley'))).headers.get('location')?.split('#')[1] ?? '';
  const guesses: string[] = [];
  for (let i = 0; i < 6; i++) guesses.push(await refusal(await step('000000', next)));
  assert.deepEqual(guesses, [...new Array<string>(5).fill('401 code_wrong'), '429 too_many_attempts']);
  now = new Date(now.getTime() + 600_000);
  await fails(step(recoveryCodes[2] ?? '', next), '400 link_invalid');
  const proof = { password: PASSWORD, code: recoveryCodes[3] };
  assert.equal((await mary.ask('/v2/auth/two-factor/disable', 'POST', proof)).status, 204);
});

test('a disabled account stays closed', async () => {
  const { user } = await whoIs(await signIn(person('percy')));
  const patch = (disabled: boolean) =>
    it.request(`/v2/users/${user.id}`, {
      method: 'PATCH',
      body: JSON.stringify({ disabled }),
      headers: { 'content-type': 'application/json' },
    });
  assert.equal((await patch(true)).status, 200);
  await fails(signIn(person('percy')), '403 account_disabled');
  await fails(signIn(person('new-subject', { email: 'percy@example.com' })), '403 account_disabled');
  assert.equal((await patch(false)).status, 200);
  // Nothing was linked to it meanwhile.
  await fails(signIn(person('new-subject', { email_verified: false })), '403 oauth_email_unverified');
});

test('who is signed in links an identity in person; nobody else can, and nothing is linked twice', async () => {
  const edward = await verifiedUser('edward');
  assert.equal(await refusal(await linkTo(edward, 'corp', {})), '400 invalid_request');
  assert.equal(await refusal(await linkTo(edward, 'corp', { password: 'Wrong12345' })), '403 password_wrong');
  assert.equal(await refusal(await linkTo(edward, 'nobody')), '404 name_unknown');
  assert.equal(await refusal(await it.post('/v2/auth/identities', { provider: 'corp' })), '403 session_required');
  const reply = await link(edward, person('ed', { email_verified: false }));
  assert.equal(reply.headers.get('location'), '/v2/auth/signed-in#linked');
  assert.doesNotMatch(reply.headers.get('set-cookie') ?? '', /gptj_session/);
  const [identity] = await identitiesOf(edward);
  assert.deepEqual([identity?.provider, identity?.name, identity?.last_used], ['corp', 'ed', null]);
  assert.equal((await whoIs(await signIn(person('ed')))).user.id, edward.user.id);
  assert.notEqual((await identitiesOf(edward))[0]?.last_used, null);
  assert.equal(await refusal(await link(edward, person('percy'))), '409 already_exists');

  // A session that has ended links nothing any more.
  corp.user = person('later');
  const begun = await linkTo(edward);
  const { authorization_url: url } = authorizationUrlSchema.parse(await begun.json());
  await edward.ask('/v2/auth/logout', 'POST');
  const cookie = (begun.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  await fails(come(corp.approve(url), cookie), '400 oauth_state_invalid');
});

test('identities are unlinked, but never the last way in', async () => {
  const edward = await signInAs(it, 'edward');
  const [identity] = await identitiesOf(edward);
  assert.equal((await edward.ask(`/v2/auth/identities/${identity?.id}`, 'DELETE')).status, 204);
  assert.deepEqual(await identitiesOf(edward), []);
  await fails(signIn(person('ed', { email_verified: false })), '403 oauth_email_unverified');

  const reply = await signIn(person('jane'));
  const { csrf_token: csrf } = await whoIs(reply.clone());
  const cookie = /gptj_session=[\w-]+/.exec(reply.headers.get('set-cookie') ?? '')?.[0] ?? '';
  const ask = async (path: string, method: string, body?: unknown): Promise<Response> =>
    await it.app.request(path, {
      method,
      headers: { cookie, 'x-csrf-token': csrf, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const listed: unknown = await (await ask('/v2/auth/identities', 'GET')).json();
  const path = `/v2/auth/identities/${Reflect.get(Object(listed), 'data')[0].id}`;
  assert.equal(await refusal(await ask(path, 'DELETE')), '409 conflict');
  // Without a password there is nothing that proves somebody is there in person.
  const proof = { password: PASSWORD };
  for (const asked of ['/v2/auth/delete-account', '/v2/auth/two-factor']) {
    assert.equal(await refusal(await ask(asked, 'POST', proof)), '409 password_not_set', asked);
  }
  await fails(postAsNobody(it, '/v2/auth/login', { login: 'jane', ...proof }), '401 sign_in_failed');
  await postAsNobody(it, '/v2/auth/forgot-password', { email: 'jane@example.com' });
  const token = mailedSecret(it, 'jane@example.com');
  assert.equal((await postAsNobody(it, '/v2/auth/reset-password', { token, ...proof })).status, 204);
  const jane = await signInAs(it, 'jane');
  assert.equal((await jane.ask(path, 'DELETE')).status, 204);
});

test('a provider that does not answer is told apart from one that refuses, and is asked again by the next', async () => {
  corp.down = true;
  const fresh = await openOAuthProviders([corp.settings]);
  const provider = fresh.get('corp');
  const flow = { redirectUri: 'http://test/cb', state: 's', nonce: 'n', codeVerifier: 'v'.repeat(43) };
  await assert.rejects(async () => provider?.authorizationUrl(flow), { code: 'oauth_unavailable' });
  corp.down = false;
  const url = await provider?.authorizationUrl(flow);
  assert.equal(url?.searchParams.get('code_challenge_method'), 'S256');
});

test('a GitHub signs in by the primary address it has verified', async () => {
  const octocat = { id: 583231, login: 'octocat' };
  corp.emails = [
    { email: 'old@example.com', primary: false, verified: true },
    { email: 'Octocat@Example.com', primary: true, verified: false },
  ];
  await fails(signIn(octocat, 'github'), '403 oauth_email_unverified');
  corp.emails = corp.emails.map((each) => ({ ...each, verified: true }));
  const { user } = await whoIs(await signIn(octocat, 'github'));
  assert.deepEqual([user.username, user.email, user.verified], ['octocat', 'octocat@example.com', true]);
  corp.emails = [];
  assert.equal((await whoIs(await signIn({ ...octocat, login: 'renamed' }, 'github'))).user.id, user.id);
  // The same number elsewhere is somebody else.
  await fails(signIn(person('583231', { email_verified: false })), '403 oauth_email_unverified');
});

test('one address begins so many sign-ins an hour, and those that come back do not count', async () => {
  const began = (): Promise<Response> => Promise.resolve(it.app.request('/v2/auth/oauth/corp'));
  for (let i = 0; i < 25; i++) await whoIs(await signIn(person('percy')));
  const statuses: number[] = [];
  for (let i = 0; i < 22; i++) statuses.push((await began()).status);
  assert.deepEqual([...new Set(statuses)], [302, 429]);
  assert.equal(statuses.indexOf(429), 20);
});

test('neither codes, tokens, states nor secrets are logged', async () => {
  corp.forged = { nonce: 'x' };
  const { cookie, authorizationUrl } = await begin();
  corp.user = person('percy');
  const query = corp.approve(authorizationUrl);
  await come(query, cookie);
  const lines = it.logLines.join('');
  assert.match(lines, /sign-in by a provider failed/);
  const secrets = [query.get('code'), query.get('state'), cookie.split('=')[1], 'hunter2', 'access-', 'eyJ', 'percy@'];
  for (const secret of secrets) assert.ok(!lines.includes(secret ?? 'absent'), secret ?? 'absent');
});

test('the providers are listed for whoever wants to sign in', async () => {
  const reply = await it.app.request('/v2/auth/oauth');
  assert.deepEqual(await reply.json(), { data: [{ name: 'corp' }, { name: 'github' }, { name: 'other' }] });
});
