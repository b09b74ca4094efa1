import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { userGetSchema } from '@gptj-cloud/protocol';
import { mailedSecret, PASSWORD, postSignedOut, refusal, signInAs } from '../../testing/browser.ts';
import { NOW, openTestApp, type TestApp } from '../../testing/test-app.ts';
import { loginFailures, pendingRegistrations, users } from '../identity-tables.ts';

let it: TestApp;
let now: Date = NOW;
before(async () => {
  it = await openTestApp({ clock: () => now });
  it.accountSettings.sendsMail = true;
});
after(() => it.close());
beforeEach(async () => {
  now = NOW;
  it.mails.length = 0;
  await it.store.db.delete(loginFailures);
});

const register = (username: string, email = `${username}@example.com`, password = PASSWORD): Promise<Response> =>
  postSignedOut(it, '/v2/auth/register', { email, username, password });
const verify = (token: string, password?: string): Promise<Response> =>
  postSignedOut(it, '/v2/auth/verify-email', { token, ...(password === undefined ? {} : { password }) });
const login = (name: string): Promise<Response> =>
  postSignedOut(it, '/v2/auth/login', { login: name, password: PASSWORD });

test('an account begins when its address is confirmed with the password of the registration', async () => {
  assert.equal((await register('percy')).status, 202);
  assert.equal(await refusal(await login('percy')), '401 sign_in_failed');
  const token = mailedSecret(it, 'percy@example.com');
  assert.equal(await refusal(await verify(token)), '403 confirmation_required');
  assert.equal(await refusal(await verify(token, 'Wrong12345')), '403 password_wrong');
  const user = userGetSchema.parse(await (await verify(token, PASSWORD)).json());
  assert.deepEqual([user.username, user.verified, user.role], ['percy', true, 'member']);
  assert.equal(await refusal(await verify(token, PASSWORD)), '400 link_invalid');
  await signInAs(it, 'percy');
});

test('replies the same for a taken address and a free one, and mails its owner', async () => {
  const [free, taken] = [await register('mary'), await register('mallory', 'percy@example.com')];
  assert.deepEqual([taken.status, await taken.text()], [free.status, await free.text()]);
  const mail = it.mails.findLast(({ to }) => to === 'percy@example.com');
  assert.match(mail?.text ?? '', /which has an account there\. Nothing changes/);
  assert.doesNotMatch(mail?.text ?? '', /#/);
  for (const name of ['mary', 'mallory']) assert.equal(await refusal(await login(name)), '401 sign_in_failed');
});

test('shows whether a username is taken, for few tries of an address', async () => {
  assert.equal(await refusal(await register('PERCY', 'other@example.com')), '409 already_exists');
});

test('a victim who clicks confirms no registration of an attacker, and can register', async () => {
  assert.equal((await register('squatter', 'victim@example.com', 'Attacker1234')).status, 202);
  const token = mailedSecret(it, 'victim@example.com');
  assert.equal(await refusal(await verify(token)), '403 confirmation_required');
  assert.equal((await register('victim')).status, 202);
  const own = mailedSecret(it, 'victim@example.com');
  assert.equal((await verify(own, PASSWORD)).status, 200);
  assert.equal(await refusal(await verify(token, 'Attacker1234')), '400 link_invalid');
  assert.equal((await signInAs(it, 'victim')).user.username, 'victim');
});

test('refuses a username that was taken between registration and confirmation', async () => {
  await register('keats', 'one@example.com');
  await register('keats', 'two@example.com');
  assert.equal((await verify(mailedSecret(it, 'one@example.com'), PASSWORD)).status, 200);
  const late = await verify(mailedSecret(it, 'two@example.com'), PASSWORD);
  assert.equal(await refusal(late), '409 already_exists');
});

test('sends few links to one address, which expire after two days', async () => {
  for (let i = 0; i < 9; i++) assert.equal((await register(`many-${i}`, 'flood@example.com')).status, 202);
  assert.equal(it.mails.filter(({ to }) => to === 'flood@example.com').length, 5);
  const token = mailedSecret(it, 'flood@example.com');
  now = new Date(NOW.getTime() + 49 * 3_600_000);
  assert.equal(await refusal(await verify(token, PASSWORD)), '400 link_invalid');
  await register('later');
  assert.equal(await it.store.db.$count(pendingRegistrations), 1);
});

test('does not show whether an address is invited', async () => {
  const settings = it.accountSettings;
  try {
    settings.registration = 'invited';
    const before = await it.store.db.$count(users);
    const reply = await register('uninvited');
    assert.equal(reply.status, 202);
    assert.equal(mailedSecret(it, 'uninvited@example.com'), '');
    settings.registration = 'closed';
    assert.equal(await refusal(await register('late')), '403 registration_closed');
    assert.equal(await it.store.db.$count(users), before);
  } finally {
    settings.registration = 'open';
  }
});
