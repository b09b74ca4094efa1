import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PASSWORD, refusal, registerAndSignIn, signInAs } from '../testing/browser.ts';
import { NOW, openTestApp, type TestApp } from '../testing/test-app.ts';
import { turnTwoFactorOn } from '../testing/two-factor.ts';

let it: TestApp;
before(async () => {
  it = await openTestApp();
});
after(() => it.close());

test('mails the user of every sensitive change, and ends other sessions when two-factor goes on or off', async () => {
  const percy = await registerAndSignIn(it, 'percy');
  const subjects = (): string[] =>
    it.mails.filter(({ to }) => to === 'percy@example.com').map(({ subject }) => subject);
  const before = await signInAs(it, 'percy');
  const { recoveryCodes } = await turnTwoFactorOn(percy, NOW);
  assert.equal(await refusal(await before.ask('/v2/users/me')), '401 session_ended');
  assert.equal((await percy.ask('/v2/users/me')).status, 200);
  await percy.ask('/v2/tokens', 'POST', { type: 'reader' });
  await percy.ask('/v2/tokens', 'POST', { type: 'admin' });
  await percy.ask('/v2/webhooks', 'POST', { url: 'https://hooks.example.com/x?secret=1' });
  const other = await it.app.request('/v2/auth/login', {
    method: 'POST',
    body: JSON.stringify({ login: 'percy', password: PASSWORD, code: recoveryCodes[0] }),
    headers: { 'content-type': 'application/json' },
  });
  const cookie = /^[^;]+/.exec(other.headers.get('set-cookie') ?? '')?.[0] ?? '';
  const off = { password: PASSWORD, code: recoveryCodes[1] };
  assert.equal((await percy.ask('/v2/auth/two-factor/disable', 'POST', off)).status, 204);
  assert.equal(await refusal(await it.app.request('/v2/users/me', { headers: { cookie } })), '401 session_ended');
  assert.deepEqual(subjects().slice(1), [
    'Two-factor sign-in was turned on',
    'An API token was created',
    'A webhook was added to your project',
    'A recovery code was used',
    'A recovery code was used',
    'Two-factor sign-in was turned off',
  ]);
  const texts = it.mails.map(({ text }) => text).join('');
  assert.match(texts, /sends the ends of runs to hooks\.example\.com\. /);
  assert.doesNotMatch(texts, /secret=1|gptj_[\w-]{32}|\{\w+\}/);
});
