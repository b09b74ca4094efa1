import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { userGetSchema } from '@gptj-cloud/protocol';
import {
  type Browser,
  mailedSecret,
  PASSWORD,
  postSignedOut,
  refusal,
  registerAndSignIn,
  signInAs,
} from '../../testing/browser.ts';
import { NOW, openTestApp, type TestApp } from '../../testing/test-app.ts';
import { turnTwoFactorOn } from '../../testing/two-factor.ts';

let it: TestApp;
let now: Date = NOW;
before(async () => {
  now = NOW;
  it = await openTestApp({ clock: () => now });
});
after(() => it.close());

const ask = (by: Browser, email: string, proof: Record<string, unknown> = { password: PASSWORD }): Promise<Response> =>
  by.ask('/v2/auth/email', 'POST', { email, ...proof });
const follow = (token: string): Promise<Response> =>
  postSignedOut(it, '/v2/auth/change-email', { token, password: PASSWORD });
const mailTo = (to: string): string => it.mails.findLast((mail) => mail.to === to)?.text ?? '';

test('the link mailed to the new address changes it once, and the old address gets a notice before and after', async () => {
  const mary = await registerAndSignIn(it, 'mary');
  assert.equal((await ask(mary, 'Shelley@Example.com')).status, 202);
  assert.match(mailTo('mary@example.com'), /to change your address to shelley@example\.com/);
  assert.doesNotMatch(mailTo('mary@example.com'), /#/);
  const before = userGetSchema.parse(await (await mary.ask('/v2/users/me')).json());
  assert.deepEqual([before.email, before.verified], ['mary@example.com', false]);
  const token = mailedSecret(it, 'shelley@example.com');
  const after = userGetSchema.parse(await (await follow(token)).json());
  assert.deepEqual([after.email, after.verified], ['shelley@example.com', true]);
  assert.match(mailTo('mary@example.com'), /is now shelley@example\.com/);
  assert.equal(await refusal(await follow(token)), '400 link_invalid');
  await signInAs(it, 'shelley@example.com');
  const old = await postSignedOut(it, '/v2/auth/login', { login: 'mary@example.com', password: PASSWORD });
  assert.equal(await refusal(old), '401 sign_in_failed');
  const log = await (await it.request('/v2/audit-log?action=user.email_change')).text();
  assert.match(log, /"from":"mary@example\.com","to":"shelley@example\.com"/);
});

test('only the newest link works, for a day', async () => {
  const claire = await registerAndSignIn(it, 'claire');
  await ask(claire, 'one@example.com');
  const first = mailedSecret(it, 'one@example.com');
  await ask(claire, 'two@example.com');
  assert.equal(await refusal(await follow(first)), '400 link_invalid');
  const start = now;
  now = new Date(start.getTime() + 24 * 3_600_000);
  assert.equal(await refusal(await follow(mailedSecret(it, 'two@example.com'))), '400 link_invalid');
  now = start;
});

test('requires the password, a code where two-factor is on, and a new address', async () => {
  const fanny = await registerAndSignIn(it, 'fanny');
  assert.equal(await refusal(await ask(fanny, 'f@example.com', {})), '400 invalid_request');
  assert.equal(await refusal(await ask(fanny, 'f@example.com', { password: 'Wrong12345' })), '403 password_wrong');
  assert.equal(await refusal(await ask(fanny, 'fanny@example.com')), '400 invalid_request');
  assert.equal(await refusal(await it.post('/v2/auth/email', { email: 'f@example.com' })), '403 session_required');
  const { usedCode: code, recoveryCodes } = await turnTwoFactorOn(fanny, now);
  assert.equal(await refusal(await ask(fanny, 'f@example.com')), '401 code_required');
  assert.equal(await refusal(await ask(fanny, 'f@example.com', { password: PASSWORD, code })), '401 code_wrong');
  assert.equal(mailTo('f@example.com'), '');
  assert.equal((await ask(fanny, 'f@example.com', { password: PASSWORD, code: recoveryCodes[0] })).status, 202);
});

test('mails only to the new address whether it is taken', async () => {
  const byron = await registerAndSignIn(it, 'byron');
  await registerAndSignIn(it, 'augusta');
  const free = await ask(byron, 'newstead@example.com');
  const taken = await ask(byron, 'augusta@example.com');
  assert.deepEqual([taken.status, await taken.text()], [free.status, await free.text()]);
  assert.match(mailTo('augusta@example.com'), /already has one there/);
  assert.doesNotMatch(mailTo('augusta@example.com'), /#/);
  assert.equal((await byron.ask('/v2/users/me')).status, 200);
});

test('of several links to one address, only the first one used changes the address', async () => {
  const [one, two] = [await registerAndSignIn(it, 'first'), await registerAndSignIn(it, 'second')];
  await ask(one, 'wanted@example.com');
  const toOne = mailedSecret(it, 'wanted@example.com');
  await ask(two, 'wanted@example.com');
  const toTwo = mailedSecret(it, 'wanted@example.com');
  assert.equal((await follow(toTwo)).status, 200);
  assert.equal(await refusal(await follow(toOne)), '409 already_exists');
  const me = userGetSchema.parse(await (await one.ask('/v2/users/me')).json());
  assert.equal(me.email, 'first@example.com');
});

test('a change ends links to the old address, and a new password ends the link of a change', async () => {
  const jane = await registerAndSignIn(it, 'jane');
  await postSignedOut(it, '/v2/auth/forgot-password', { email: 'jane@example.com' });
  const reset = mailedSecret(it, 'jane@example.com');
  await ask(jane, 'williams@example.com');
  const late = (): Promise<Response> =>
    postSignedOut(it, '/v2/auth/reset-password', { token: reset, password: 'Another1234' });
  assert.equal((await follow(mailedSecret(it, 'williams@example.com'))).status, 200);
  assert.equal(await refusal(await late()), '400 link_invalid');
  // Also when the address is changed back.
  await ask(jane, 'jane@example.com');
  assert.equal((await follow(mailedSecret(it, 'jane@example.com'))).status, 200);
  assert.equal(await refusal(await late()), '400 link_invalid');

  const thief = 'thief@example.com';
  await ask(jane, thief);
  await postSignedOut(it, '/v2/auth/forgot-password', { email: 'jane@example.com' });
  const token = mailedSecret(it, 'jane@example.com');
  assert.equal((await postSignedOut(it, '/v2/auth/reset-password', { token, password: PASSWORD })).status, 200);
  assert.equal(await refusal(await follow(mailedSecret(it, thief))), '400 link_invalid');

  const again = await signInAs(it, 'jane');
  await ask(again, thief);
  const change = { current_password: PASSWORD, new_password: 'Another1234' };
  assert.equal((await again.ask('/v2/auth/password', 'POST', change)).status, 204);
  assert.equal(await refusal(await follow(mailedSecret(it, thief))), '400 link_invalid');
});

test('the owner of an address cannot confirm it for an account of someone else', async () => {
  const mallory = await registerAndSignIn(it, 'mallory');
  await ask(mallory, 'victim@example.com');
  const token = mailedSecret(it, 'victim@example.com');
  const click = (body: object = {}) => postSignedOut(it, '/v2/auth/change-email', { token, ...body });
  assert.equal(await refusal(await click()), '403 confirmation_required');
  for (let i = 0; i < 5; i++)
    assert.equal(await refusal(await click({ password: 'Wrong12345' })), '403 password_wrong');
  assert.equal(await refusal(await click({ password: PASSWORD })), '429 too_many_attempts');
  // A session of another account does not help; the one of the account does.
  const victim = await registerAndSignIn(it, 'victim-2');
  const path = '/v2/auth/change-email';
  assert.equal(await refusal(await victim.ask(path, 'POST', { token })), '403 confirmation_required');
  assert.equal(
    await refusal(await mallory.ask(path, 'POST', { token }, { 'x-csrf-token': 'x' })),
    '403 confirmation_required',
  );
  assert.equal((await mallory.ask(path, 'POST', { token })).status, 200);
});
