import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import {
  mailedSecret,
  PASSWORD,
  postSignedOut,
  refusal,
  registerAndSignIn,
  registerUser,
} from '../../testing/browser.ts';
import { NOW, openTestApp, type TestApp } from '../../testing/test-app.ts';
import { loginFailures } from '../identity-tables.ts';

let it: TestApp;
let now: Date = NOW;
before(async () => {
  it = await openTestApp({ clock: () => now });
  await registerUser(it, 'percy');
});
after(() => it.close());
beforeEach(async () => {
  now = NOW;
  await it.store.db.delete(loginFailures);
});

const login = (password: string, cookie = '', name = 'percy'): Promise<Response> =>
  postSignedOut(it, '/v2/auth/login', { login: name, password }, { headers: { cookie } });
const deviceOf = (reply: Response): string =>
  /gptj_device=[\w-]{43}/.exec(reply.headers.get('set-cookie') ?? '')?.[0] ?? '';
/** Fail at a login until it is locked out; what each try answered. */
async function attack(name = 'percy'): Promise<string[]> {
  const replies: string[] = [];
  for (let i = 0; i < 8; i++) replies.push(await refusal(await login('Wrong12345', '', name)));
  return replies;
}

test('a sign-in gives the browser a cookie that no script reads, and that gives no access', async () => {
  const reply = await login(PASSWORD);
  const set = reply.headers.get('set-cookie') ?? '';
  assert.match(set, /gptj_device=[\w-]{43}; Max-Age=15552000; Path=\/; HttpOnly; SameSite=Lax/);
  const headers = { cookie: deviceOf(reply) };
  assert.equal(await refusal(await it.app.request('/v2/users/me', { headers })), '401 token_missing');
  assert.equal(deviceOf(await login(PASSWORD, deviceOf(reply))), deviceOf(reply));
});

test('the owner signs in from a device that has signed in before, while others fail', async () => {
  const device = deviceOf(await login(PASSWORD));
  assert.ok((await attack()).includes('429 too_many_attempts'));
  assert.equal(await refusal(await login(PASSWORD)), '429 too_many_attempts');
  assert.equal((await login(PASSWORD, device)).status, 200);
  // The cookie of another account does not help.
  await registerUser(it, 'mallory');
  const other = deviceOf(await login(PASSWORD, '', 'mallory'));
  await attack();
  assert.equal(await refusal(await login('Wrong12345', other)), '429 too_many_attempts');
});

test('a signed-in user changes the password while others fail', async () => {
  const mary = await registerAndSignIn(it, 'mary');
  assert.ok((await attack('mary')).includes('429 too_many_attempts'));
  const change = { current_password: PASSWORD, new_password: 'Frankenstein1818' };
  assert.equal((await mary.ask('/v2/auth/password', 'POST', change)).status, 204);
});

test('guesses in one session lock that session alone', async () => {
  const [thief, owner] = [await registerAndSignIn(it, 'claire'), await registerAndSignIn(it, 'claire-2')];
  const guess = (by: typeof thief, current: string) =>
    by.ask('/v2/auth/password', 'POST', { current_password: current, new_password: 'Frankenstein1818' });
  for (let i = 0; i < 5; i++) assert.equal(await refusal(await guess(thief, 'Wrong12345')), '403 password_wrong');
  assert.equal(await refusal(await guess(thief, PASSWORD)), '429 too_many_attempts');
  assert.equal((await guess(owner, PASSWORD)).status, 204);
  assert.equal((await login(PASSWORD, '', 'claire')).status, 200);
});

test('a new password by mail ends a lockout, and makes the browser known', async () => {
  await registerUser(it, 'harriet');
  const earlier = deviceOf(await login(PASSWORD, '', 'harriet'));
  await attack('harriet');
  await attack('harriet@example.com');
  await postSignedOut(it, '/v2/auth/forgot-password', { email: 'harriet@example.com' });
  const token = mailedSecret(it, 'harriet@example.com');
  const reset = await postSignedOut(it, '/v2/auth/reset-password', { token, password: 'Frankenstein1818' });
  assert.ok(reset.ok);
  assert.equal((await login('Frankenstein1818', '', 'harriet')).status, 200);
  await attack('harriet');
  assert.equal((await login('Frankenstein1818', deviceOf(reset), 'harriet')).status, 200);
  // The devices from before may be those of an intruder.
  assert.equal(await refusal(await login('Wrong12345', earlier, 'harriet')), '429 too_many_attempts');
});

test('a device that several accounts know gains no guesses at one by signing in to another', async () => {
  for (const name of ['jane', 'william']) await registerUser(it, name);
  const device = deviceOf(await login(PASSWORD, '', 'jane'));
  assert.equal((await login(PASSWORD, device, 'william')).status, 200);
  const guesses: string[] = [];
  for (let i = 0; i < 7; i++) {
    guesses.push(await refusal(await login('Wrong12345', device, 'william')));
    assert.equal((await login(PASSWORD, device, 'jane')).status, 200);
  }
  assert.deepEqual(guesses.slice(5), ['429 too_many_attempts', '429 too_many_attempts']);
});

test('locks known and unknown logins alike, however they are spelt', async () => {
  assert.deepEqual(await attack('percy'), await attack('unknown'));
  for (const spelling of [' PERCY', '\uff30ercy', ' UNKNOWN', '\uff35nknown']) {
    assert.equal(await refusal(await login('Wrong12345', '', spelling)), '429 too_many_attempts', spelling);
  }
});
