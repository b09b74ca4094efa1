import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { recoveryCodesLeftSchema, recoveryCodesSchema } from '@gptj-cloud/protocol';
import { type Browser, PASSWORD, postSignedOut, refusal, registerAndSignIn } from '../../testing/browser.ts';
import { NOW, openTestApp, type TestApp } from '../../testing/test-app.ts';
import { turnTwoFactorOn } from '../../testing/two-factor.ts';

let it: TestApp;
before(async () => {
  it = await openTestApp();
});
after(() => it.close());

const ADDRESS = '/v2/auth/two-factor/recovery-codes';
const left = async (by: Browser) => recoveryCodesLeftSchema.parse(await (await by.ask(ADDRESS)).json());
const signIn = (login: string, code: string) =>
  postSignedOut(it, '/v2/auth/login', { login, password: PASSWORD, code });

test('counts the codes that are left, and makes new ones in place of the earlier ones', async () => {
  const by = await registerAndSignIn(it, 'percy');
  assert.deepEqual(await left(by), { two_factor: false, left: 0, of: 10 });
  const { recoveryCodes: before } = await turnTwoFactorOn(by, NOW);
  const [first = '', second = ''] = before;
  assert.equal((await signIn('percy', first)).status, 200);
  assert.deepEqual(await left(by), { two_factor: true, left: 9, of: 10 });
  assert.equal(await refusal(await by.ask(ADDRESS, 'POST', { password: 'wrong' })), '403 password_wrong');
  assert.equal(await refusal(await by.ask(ADDRESS, 'POST', { password: PASSWORD })), '401 code_required');
  const renewed = await by.ask(ADDRESS, 'POST', { password: PASSWORD, code: second });
  assert.equal(renewed.status, 200, await renewed.clone().text());
  const { recovery_codes: after } = recoveryCodesSchema.parse(await renewed.json());
  assert.equal(new Set([...before, ...after]).size, 20);
  assert.deepEqual(await left(by), { two_factor: true, left: 10, of: 10 });
  assert.equal(await refusal(await signIn('percy', before[2] ?? '')), '401 code_wrong');
  assert.equal((await signIn('percy', after[0] ?? '')).status, 200);
  assert.ok(it.mails.some(({ subject }) => subject === 'New recovery codes were made'));
});

test('makes no codes while two-factor is off', async () => {
  const by = await registerAndSignIn(it, 'mary');
  assert.equal(await refusal(await by.ask(ADDRESS, 'POST', { password: PASSWORD })), '409 conflict');
});
