import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { confirmationSchema, tokenGetSchema } from '@gptj-cloud/protocol';
import { loginFailures } from '../../identity/identity-tables.ts';
import { type Browser, PASSWORD, refusal, registerAndSignIn, signInAs } from '../../testing/browser.ts';
import { NOW, openTestApp, type TestApp } from '../../testing/test-app.ts';
import { turnTwoFactorOn } from '../../testing/two-factor.ts';

let it: TestApp;
let percy: Browser;
let now: Date = NOW;
before(async () => {
  it = await openTestApp({ clock: () => now });
  percy = await registerAndSignIn(it, 'percy');
});
after(() => it.close());
beforeEach(async () => {
  await it.store.db.delete(loginFailures);
});

const MINUTE_MS = 60_000;
const later = (minutes: number): void => {
  now = new Date(now.getTime() + minutes * MINUTE_MS);
};
const projectOf = async (by: Browser): Promise<string> =>
  Reflect.get(Object(await (await by.ask('/v2/projects')).json()), 'data')[0].id;

/** Changes that give a hold which outlives the session, or that cannot be undone. */
const sensitive = async (by: Browser): Promise<readonly (readonly [string, string, unknown?])[]> => {
  const project = `/v2/projects/${await projectOf(by)}`;
  return [
    ['POST', '/v2/tokens', {}],
    ['POST', '/v2/tokens', { type: 'admin' }],
    ['POST', `${project}/members`, { username: 'mallory' }],
    ['DELETE', `${project}/members/user_x`],
    ['POST', `${project}/invitations`, { email: 'mallory@example.com' }],
    ['POST', '/v2/webhooks', { url: 'https://example.com/hook' }],
    ['PATCH', '/v2/webhooks/webhook_x', { url: 'https://example.com/hook' }],
    ['POST', '/v2/plan', { plan: 'premium' }],
    ['DELETE', project],
    ['DELETE', '/v2/auth/identities/identity_x'],
  ];
};

test('a session that began a while ago needs a confirmation for each sensitive change', async () => {
  const old = await signInAs(it, 'percy');
  later(15);
  for (const [method, path, body] of await sensitive(old)) {
    assert.equal(await refusal(await old.ask(path, method, body)), '403 confirmation_required', `${method} ${path}`);
  }
  assert.equal((await old.ask('/v2/users/me')).status, 200);
  assert.equal(
    await refusal(await old.ask('/v2/auth/confirm', 'POST', { password: 'Wrong12345' })),
    '403 password_wrong',
  );
  assert.equal(await refusal(await old.ask('/v2/tokens', 'POST', {})), '403 confirmation_required');
  const reply = await old.ask('/v2/auth/confirm', 'POST', { password: PASSWORD });
  const { confirmed_until: until } = confirmationSchema.parse(await reply.json());
  assert.equal(until, now.getTime() / 1000 + 900);
  assert.equal((await old.ask('/v2/tokens', 'POST', {})).status, 201);
  // It holds for this session alone, and for a time.
  assert.equal(await refusal(await percy.ask('/v2/tokens', 'POST', {})), '403 confirmation_required');
  later(15);
  assert.equal(await refusal(await old.ask('/v2/tokens', 'POST', {})), '403 confirmation_required');
});

test('owners of the server confirm changes of other accounts and backups', async () => {
  const patch = { method: 'PATCH', body: '{"role":"owner"}', headers: { 'content-type': 'application/json' } };
  await it.request(`/v2/users/${percy.user.id}`, patch);
  const owner = await signInAs(it, 'percy');
  later(15);
  for (const [method, path, body] of [
    ['PATCH', '/v2/users/user_x', { role: 'owner' }],
    ['DELETE', '/v2/users/user_x'],
    ['GET', '/v2/admin/backup'],
  ] as const) {
    assert.equal(await refusal(await owner.ask(path, method, body)), '403 confirmation_required', path);
  }
  await it.request(`/v2/users/${percy.user.id}`, { ...patch, body: '{"role":"member"}' });
});

test('a token creates and extends no token, and invites no member, without the password of its user', async () => {
  const owner = await signInAs(it, 'percy');
  const soon = new Date(now.getTime() + MINUTE_MS).toISOString();
  const made = await owner.ask('/v2/tokens', 'POST', { type: 'admin', expires_at: soon });
  const token = tokenGetSchema.parse(await made.json());
  const ask = async (method: string, path: string, body: unknown, headers: object = {}): Promise<Response> =>
    await it.app.request(path, {
      method,
      body: JSON.stringify(body),
      headers: { authorization: `Bearer ${token.value}`, 'content-type': 'application/json', ...headers },
    });
  const own = `/v2/tokens/${token.id}`;
  for (const body of [{}, { type: 'admin' }, { type: 'runner', expires_at: soon }]) {
    assert.equal(await refusal(await ask('POST', '/v2/tokens', body)), '403 confirmation_required');
  }
  const project = `/v2/projects/${await projectOf(owner)}`;
  assert.equal(
    await refusal(await ask('POST', `${project}/members`, { username: 'mallory' })),
    '403 confirmation_required',
  );
  assert.equal(
    await refusal(await ask('POST', `${project}/invitations`, { email: 'mallory@example.com' })),
    '403 confirmation_required',
  );
  for (const body of [{ expires_at: null }, { expire_at: now.getTime() / 1000 + 3600 }]) {
    assert.equal(await refusal(await ask('PATCH', own, body)), '403 confirmation_required', JSON.stringify(body));
  }
  assert.equal((await ask('PATCH', own, { name: 'renamed', expires_at: now.getTime() / 1000 + 30 })).status, 200);
  assert.equal(tokenGetSchema.parse(await (await owner.ask(own)).json()).name, 'renamed');
  const inPerson = { 'x-confirm-password': encodeURIComponent(PASSWORD) };
  const wrong = { 'x-confirm-password': 'Wrong12345' };
  assert.equal(await refusal(await ask('POST', '/v2/tokens', {}, wrong)), '403 password_wrong');
  assert.equal(
    await refusal(await ask('POST', '/v2/tokens', {}, { 'x-confirm-password': '%' })),
    '400 invalid_request',
  );
  assert.equal((await ask('POST', '/v2/tokens', {}, inPerson)).status, 201);
  // A token that was disabled does not enable itself; another one does it with the password only.
  assert.equal((await ask('PATCH', own, { is_enabled: false })).status, 200);
  assert.equal(await refusal(await ask('PATCH', own, { is_enabled: true })), '401 token_disabled');
  later(15);
  assert.equal(await refusal(await owner.ask(own, 'PATCH', { is_enabled: true })), '403 confirmation_required');
  assert.equal((await owner.ask(own, 'PATCH', { is_enabled: true }, inPerson)).status, 200);
});

test('with two-factor on, a confirmation needs a code as well', async () => {
  const mary = await registerAndSignIn(it, 'mary');
  const { recoveryCodes } = await turnTwoFactorOn(mary, now);
  later(15);
  const confirm = (more: object) => mary.ask('/v2/auth/confirm', 'POST', { password: PASSWORD, ...more });
  assert.equal(await refusal(await confirm({})), '401 code_required');
  assert.equal(await refusal(await confirm({ code: '000000' })), '401 code_wrong');
  const password = { 'x-confirm-password': PASSWORD };
  const make = (headers: Record<string, string>) => mary.ask('/v2/tokens', 'POST', {}, headers);
  assert.equal(await refusal(await make(password)), '401 code_required');
  assert.equal((await make({ ...password, 'x-confirm-code': recoveryCodes[0] ?? '' })).status, 201);
  assert.equal(await refusal(await make({})), '403 confirmation_required');
  assert.equal((await confirm({ code: recoveryCodes[1] })).status, 200);
  assert.equal((await make({})).status, 201);
});
