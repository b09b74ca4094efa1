import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { userGetSchema } from '@gptj-cloud/protocol';
import { type Browser, refusal, registerAndSignIn } from '../../testing/browser.ts';
import { openTestApp, type TestApp } from '../../testing/test-app.ts';

let it: TestApp;
before(async () => {
  it = await openTestApp();
});
after(() => it.close());

const change = (by: Browser, preferences: unknown) => by.ask('/v2/users/me', 'PATCH', { preferences });
const read = async (by: Browser) => userGetSchema.parse(await (await by.ask('/v2/users/me')).json()).preferences;

test('keeps the choices of a user; absent fields stay, null clears one', async () => {
  const by = await registerAndSignIn(it, 'percy');
  assert.deepEqual(await read(by), {});
  assert.equal((await change(by, { theme: 'dark', density: 'compact' })).status, 200);
  await change(by, { single_key_shortcuts: false, density: null, dismissed_hints: ['first-token'] });
  assert.deepEqual(await read(by), { theme: 'dark', single_key_shortcuts: false, dismissed_hints: ['first-token'] });
  await by.ask('/v2/users/me', 'PATCH', { firstname: 'Percy' });
  assert.deepEqual((await read(by))?.theme, 'dark');
  await change(by, { theme: null, single_key_shortcuts: null, dismissed_hints: null });
  assert.deepEqual(await read(by), {});
});

test('changes of different choices at the same time are all kept', async () => {
  const by = await registerAndSignIn(it, 'mary');
  await Promise.all([
    change(by, { theme: 'light' }),
    change(by, { density: 'compact' }),
    change(by, { text_font: 'mono' }),
  ]);
  assert.deepEqual(await read(by), { theme: 'light', density: 'compact', text_font: 'mono' });
});

test('refuses choices that the dashboard does not have', async () => {
  const by = await registerAndSignIn(it, 'lord');
  for (const bad of [
    { theme: 'pink' },
    { colour: 'red' },
    { dismissed_hints: Array.from({ length: 51 }, (_, i) => `hint-${i}`) },
    { dismissed_hints: ['<script>'] },
  ]) {
    assert.equal(await refusal(await change(by, bad)), '400 invalid_request');
  }
});
