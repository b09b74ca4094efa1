import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { authorizationUrlSchema, identityGetSchema, sessionGetSchema } from '@gptj-cloud/protocol';
import { z } from 'zod';
import {
  type Browser,
  mailedSecret,
  PASSWORD,
  postSignedOut,
  refusal,
  registerAndSignIn,
  signInAs,
} from '../../testing/browser.ts';
import { assertRefused, claimsOf, type OAuthTestApp, openOAuthTestApp } from '../../testing/oauth-test-app.ts';
import type { OidcServer } from '../../testing/oidc-server.ts';
import type { TestApp } from '../../testing/test-app.ts';
import { turnTwoFactorOn } from '../../testing/two-factor.ts';

let app: OAuthTestApp;
let it: TestApp;
let corp: OidcServer;
before(async () => {
  app = await openOAuthTestApp();
  ({ it, corp } = app);
});
after(() => app.close());
beforeEach(() => app.reset());

const finish: OAuthTestApp['finish'] = (...args) => app.finish(...args);
const signIn: OAuthTestApp['signIn'] = (...args) => app.signIn(...args);
const sessionOf: OAuthTestApp['sessionOf'] = (...args) => app.sessionOf(...args);

const identitiesOf = async (by: Browser): Promise<z.infer<typeof identityGetSchema>[]> =>
  z.object({ data: z.array(identityGetSchema) }).parse(await (await by.ask('/v2/auth/identities')).json()).data;

const beginLink = (
  by: Browser,
  provider = 'corp',
  proof: Record<string, unknown> = { password: PASSWORD },
): Promise<Response> => by.ask('/v2/auth/identities', 'POST', { provider, ...proof });

/** Link an identity to the signed-in user. */
async function link(by: Browser, user: Record<string, unknown>): Promise<Response> {
  corp.user = user;
  const begun = await beginLink(by);
  const { authorization_url: url } = authorizationUrlSchema.parse(await begun.json());
  const cookie = (begun.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  return await finish(corp.approve(url), cookie);
}

async function verifiedUser(username: string): Promise<Browser> {
  const browser = await registerAndSignIn(it, username);
  const token = mailedSecret(it, `${username}@example.com`);
  assert.equal((await postSignedOut(it, '/v2/auth/verify-email', { token, password: PASSWORD })).status, 200);
  return browser;
}

test('refuses an e-mail address that the provider has not verified', async () => {
  await verifiedUser('leigh');
  for (const more of [{ email_verified: false }, { email_verified: undefined }, { email: 'no address' }]) {
    await assertRefused(signIn(claimsOf('leigh', more)), '403 oauth_email_unverified');
  }
  await assertRefused(signIn(claimsOf('stranger', { email_verified: false })), '403 oauth_email_unverified');
});

test('links an account by an address that both sides have verified, and mails a notice', async () => {
  const mary = await verifiedUser('mary');
  assert.equal(
    (await sessionOf(await signIn(claimsOf('shelley', { email: 'Mary@Example.com' })))).user.id,
    mary.user.id,
  );
  assert.match(it.mails.findLast(({ to }) => to === 'mary@example.com')?.text ?? '', /account at corp now signs in/);
  // An attacker has registered another user's address and waits for the owner.
  const squatter = await registerAndSignIn(it, 'claire');
  await assertRefused(signIn(claimsOf('clairmont', { email: 'claire@example.com' })), '409 oauth_address_taken');
  assert.deepEqual(await identitiesOf(squatter), []);
  // Before its set-up, the first account is not linked by its placeholder address either.
  await assertRefused(signIn(claimsOf('thief', { email: 'owner@localhost' })), '409 oauth_address_taken');
  assert.equal(await refusal(await beginLink(squatter)), '403 email_unverified');
});

test('applies the registration policy to new accounts only', async () => {
  const settings = it.accountSettings;
  await sessionOf(await signIn(claimsOf('known')));
  try {
    settings.registration = 'closed';
    await assertRefused(signIn(claimsOf('late')), '403 registration_closed');
    settings.registration = 'invited';
    await assertRefused(signIn(claimsOf('late')), '403 registration_closed');
    await sessionOf(await signIn(claimsOf('known')));
  } finally {
    settings.registration = 'open';
  }
});

test('two-factor of the account applies: no session without a code, and few guesses', async () => {
  const polly = await verifiedUser('polly');
  const { usedCode, recoveryCodes } = await turnTwoFactorOn(polly, app.now());
  const reply = await signIn(claimsOf('polly'));
  assert.equal(reply.status, 303);
  assert.doesNotMatch(reply.headers.get('set-cookie') ?? '', /gptj_session/);
  const token = /^\/v2\/auth\/oauth-code#([\w-]{32})$/.exec(reply.headers.get('location') ?? '')?.[1] ?? '';
  const step = (code: string, by = token): Promise<Response> =>
    postSignedOut(it, '/v2/auth/oauth-code', { token: by, code });
  await assertRefused(step(usedCode), '401 code_wrong');
  const good = await step(recoveryCodes[0] ?? '');
  assert.equal(sessionGetSchema.parse(await good.json()).user.username, 'polly');
  assert.match(good.headers.get('set-cookie') ?? '', /^gptj_session=/);
  await assertRefused(step(recoveryCodes[1] ?? ''), '400 link_invalid');

  const next = (await signIn(claimsOf('polly'))).headers.get('location')?.split('#')[1] ?? '';
  const guesses: string[] = [];
  for (let i = 0; i < 6; i++) guesses.push(await refusal(await step('000000', next)));
  assert.deepEqual(guesses, [...new Array<string>(5).fill('401 code_wrong'), '429 too_many_attempts']);
  app.advance(600_000);
  await assertRefused(step(recoveryCodes[2] ?? '', next), '400 link_invalid');
  const proof = { password: PASSWORD, code: recoveryCodes[3] };
  assert.equal((await polly.ask('/v2/auth/two-factor/disable', 'POST', proof)).status, 204);
});

test('a disabled account cannot sign in or be linked', async () => {
  const { user } = await sessionOf(await signIn(claimsOf('percy')));
  const patch = (disabled: boolean) =>
    it.request(`/v2/users/${user.id}`, {
      method: 'PATCH',
      body: JSON.stringify({ disabled }),
      headers: { 'content-type': 'application/json' },
    });
  assert.equal((await patch(true)).status, 200);
  await assertRefused(signIn(claimsOf('percy')), '403 account_disabled');
  await assertRefused(signIn(claimsOf('new-subject', { email: 'percy@example.com' })), '403 account_disabled');
  assert.equal((await patch(false)).status, 200);
  // The refused sign-in linked nothing.
  await assertRefused(signIn(claimsOf('new-subject', { email_verified: false })), '403 oauth_email_unverified');
});

test('a signed-in user links an identity after confirming the password, and each identity once', async () => {
  const edward = await verifiedUser('edward');
  await sessionOf(await signIn(claimsOf('linked-elsewhere')));
  assert.equal(await refusal(await beginLink(edward, 'corp', {})), '400 invalid_request');
  assert.equal(await refusal(await beginLink(edward, 'corp', { password: 'Wrong12345' })), '403 password_wrong');
  assert.equal(await refusal(await beginLink(edward, 'unknown')), '404 name_unknown');
  assert.equal(await refusal(await it.post('/v2/auth/identities', { provider: 'corp' })), '403 session_required');
  const reply = await link(edward, claimsOf('ed', { email_verified: false }));
  assert.equal(reply.headers.get('location'), '/v2/auth/linked#linked');
  assert.doesNotMatch(reply.headers.get('set-cookie') ?? '', /gptj_session/);
  const [identity] = await identitiesOf(edward);
  assert.deepEqual([identity?.provider, identity?.name, identity?.last_used], ['corp', 'ed', null]);
  assert.equal((await sessionOf(await signIn(claimsOf('ed')))).user.id, edward.user.id);
  assert.notEqual((await identitiesOf(edward))[0]?.last_used, null);
  assert.equal(await refusal(await link(edward, claimsOf('linked-elsewhere'))), '409 already_exists');

  // A session that has ended links nothing.
  corp.user = claimsOf('later');
  const begun = await beginLink(edward);
  const { authorization_url: url } = authorizationUrlSchema.parse(await begun.json());
  await edward.ask('/v2/auth/logout', 'POST');
  const cookie = (begun.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  await assertRefused(finish(corp.approve(url), cookie), '400 oauth_state_invalid');
});

test('unlinks identities except the only way to sign in', async () => {
  const trelawny = await verifiedUser('trelawny');
  await link(trelawny, claimsOf('tre', { email_verified: false }));
  const [identity] = await identitiesOf(trelawny);
  assert.equal((await trelawny.ask(`/v2/auth/identities/${identity?.id}`, 'DELETE')).status, 204);
  assert.deepEqual(await identitiesOf(trelawny), []);
  await assertRefused(signIn(claimsOf('tre', { email_verified: false })), '403 oauth_email_unverified');

  const reply = await signIn(claimsOf('jane'));
  const { csrf_token: csrf } = await sessionOf(reply.clone());
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
  // Without a password, the user cannot confirm anything in person.
  const proof = { password: PASSWORD };
  for (const address of ['/v2/auth/delete-account', '/v2/auth/two-factor']) {
    assert.equal(await refusal(await ask(address, 'POST', proof)), '409 password_not_set', address);
  }
  await assertRefused(postSignedOut(it, '/v2/auth/login', { login: 'jane', ...proof }), '401 sign_in_failed');
  await postSignedOut(it, '/v2/auth/forgot-password', { email: 'jane@example.com' });
  const token = mailedSecret(it, 'jane@example.com');
  assert.equal(
    (await postSignedOut(it, '/v2/auth/reset-password', { token, ...proof, keep: ['identities'] })).status,
    200,
  );
  const jane = await signInAs(it, 'jane');
  assert.equal((await jane.ask(path, 'DELETE')).status, 204);
});
