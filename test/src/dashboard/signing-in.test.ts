/** Registration and confirmation of an address, locks after wrong passwords, and two-factor sign-in. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BrowserContext, Page } from 'playwright-core';
import { authenticatorCode, mailedLink } from './accounts.ts';
import { SKIP_WITHOUT_CHROMIUM } from './chromium.ts';
import { type Account, OWNER, useDashboard } from './dashboard.ts';

const skip = SKIP_WITHOUT_CHROMIUM;
let now = new Date();
const dashboard = useDashboard({ environment: { REQUIRE_VERIFIED_EMAIL: 'true' }, clock: () => now });

async function signIn(page: Page, { username }: Account, password: string): Promise<void> {
  await page.getByLabel('E-mail address or username').fill(username);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

async function signOut(page: Page, { username }: Account): Promise<void> {
  await page.getByRole('button', { name: `Account of ${username}` }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
}

test('a new account waits for the confirmation of its address, and the open page goes on after it', {
  skip,
}, async () => {
  const page = await dashboard().open('/register');
  await page.getByLabel('E-mail address').fill('percy@example.com');
  await page.getByLabel('Username').fill('percy');
  await page.getByLabel('Password', { exact: true }).fill('Ozymandias 1818');
  await page.getByRole('button', { name: 'Register' }).click();
  const waiting = page.getByRole('heading', { name: 'Confirm your e-mail address' });
  await waiting.waitFor();
  for (const name of ['Home', 'Playground', 'Usage', 'Pipelines', 'Evaluations', 'API tokens', 'Plan', 'Runs']) {
    await page.getByRole('link', { name, exact: true }).click();
    await page.getByRole('link', { name, exact: true }).and(page.locator('[aria-current=page]')).waitFor();
    await waiting.waitFor();
    assert.equal(await page.getByRole('heading', { level: 1 }).count(), 1, name);
  }

  const link = mailedLink(dashboard(), 'percy@example.com', 'verify-email');
  const elsewhere = await dashboard().open(link);
  await elsewhere.getByLabel('Password of your account').fill('Ozymandias 1818');
  await elsewhere.getByRole('button', { name: 'Confirm the address' }).click();
  await elsewhere.getByText('The address is confirmed.').waitFor();
  await page.getByRole('heading', { name: 'Runs', level: 1 }).waitFor();
});

test('five wrong passwords lock the sign-in for the stated time, after which the right one works', {
  skip,
}, async () => {
  const context: BrowserContext = await dashboard().context();
  const page = await context.newPage();
  await page.clock.install({ time: now });
  await page.goto(`${dashboard().url}/login`);
  const refused: string[] = [];
  let retryAfter = 0;
  page.on('response', (reply) => {
    if (!reply.url().endsWith('/v2/auth/login')) return;
    refused.push(String(reply.status()));
    retryAfter = Number(reply.headers()['retry-after'] ?? 0);
  });
  for (let attempt = 1; attempt <= 5; attempt++) {
    await signIn(page, OWNER, `wrong password ${attempt}`);
    await page.waitForFunction((count) => document.querySelectorAll('[role=alert]').length > 0 || count === 0, attempt);
    while (refused.length < attempt) await page.waitForTimeout(10);
  }
  await signIn(page, OWNER, OWNER.password);
  const countdown = page.getByRole('timer');
  await countdown.waitFor();
  assert.deepEqual(refused, ['401', '401', '401', '401', '401', '429']);
  const shown = /(\d+):(\d\d)/.exec((await countdown.textContent()) ?? '');
  const seconds = Number(shown?.[1]) * 60 + Number(shown?.[2]);
  assert.ok(Math.abs(seconds - retryAfter) <= 1, `${seconds} s are shown, Retry-After is ${retryAfter} s`);
  assert.equal(await page.getByRole('button', { name: 'Sign in', exact: true }).getAttribute('aria-disabled'), 'true');

  now = new Date(now.getTime() + retryAfter * 1000);
  await page.clock.fastForward(retryAfter * 1000);
  await countdown.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('button', { name: 'Account of owner' }).waitFor();
});

test('two-factor sign-in takes each code of the app, and each recovery code, once', { skip }, async () => {
  const page = await dashboard().open('/account/security', { as: OWNER });
  await page.getByRole('button', { name: 'Turn on' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Your password').fill(OWNER.password);
  await dialog.getByRole('button', { name: 'Go on' }).click();
  await dialog.getByRole('img', { name: 'QR code for the authenticator app' }).waitFor();
  const secret = (await dialog.locator('code').first().textContent()) ?? '';
  await dialog.getByLabel('Code that the app shows').fill(authenticatorCode(secret, now));
  await page.getByRole('heading', { name: 'Recovery codes' }).waitFor();
  await page.keyboard.press('Escape');
  const [recoveryCode = ''] = await page.getByRole('dialog').locator('li code').allTextContents();
  assert.match(recoveryCode, /^\w{8,}/);
  await page.getByRole('button', { name: 'I have kept them' }).click();
  await page.getByText('10 of 10 recovery codes are unused.').waitFor();

  await signOut(page, OWNER);
  await signIn(page, OWNER, OWNER.password);
  await page.getByLabel('Two-factor code').fill(recoveryCode);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('button', { name: 'Account of owner' }).waitFor();

  await signOut(page, OWNER);
  await signIn(page, OWNER, OWNER.password);
  await page.getByLabel('Two-factor code').fill(recoveryCode);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByText('code is wrong').waitFor();
  // A code of the app is valid once, and the next one is another. It is sent as soon as it is complete.
  now = new Date(now.getTime() + 30_000);
  const code = authenticatorCode(secret, now);
  await page.getByLabel('Two-factor code').fill(code);
  await page.getByRole('button', { name: 'Account of owner' }).waitFor();

  await signOut(page, OWNER);
  await signIn(page, OWNER, OWNER.password);
  await page.getByLabel('Two-factor code').fill(code);
  await page.getByText('code is wrong').waitFor();
  assert.equal(new URL(page.url()).pathname, '/login');
  now = new Date(now.getTime() + 30_000);
  await page.getByLabel('Two-factor code').fill(authenticatorCode(secret, now));
  await page.getByRole('button', { name: 'Account of owner' }).waitFor();
});
