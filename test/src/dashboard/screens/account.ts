/** The pages of the own account. */
import { createHmac } from 'node:crypto';
import type { Page } from 'playwright-core';
import type { Account } from '../dashboard.ts';
import { defineScreens, type Screen } from '../screen.ts';

const password = 'correct horse battery 7A';

/** The screen of a user who is registered for it. */
function as(username: string): Pick<Screen, 'as' | 'seed'> {
  const account: Account = { email: `${username}@example.com`, username, password };
  return {
    as: account,
    async seed(_, dashboard) {
      await dashboard.register(account);
      return undefined;
    },
  };
}

/** The code of an authenticator app at a time: RFC 6238 with 30 s, six digits and SHA-1. */
function codeAt(secret: string, now: Date): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret.replaceAll(' ', '')]
    .map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0'))
    .join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(now.getTime() / 30_000)));
  const hash = createHmac('sha1', key).update(counter).digest();
  const offset = (hash.at(-1) ?? 0) & 15;
  return String((hash.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

async function beginTwoFactor(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Turn on' }).click();
  await page.getByRole('dialog').getByLabel('Your password').fill(password);
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.getByRole('img', { name: 'QR code for the authenticator app' }).waitFor();
}

defineScreens('account', [
  { state: 'profile', path: '/account' },
  {
    state: 'change-email',
    path: '/account',
    act: (page) => page.getByRole('button', { name: 'Change', exact: true }).click(),
  },
  {
    state: 'delete',
    path: '/account',
    act: (page) => page.getByRole('button', { name: 'Delete the account' }).click(),
  },
]);

defineScreens('security', [
  { state: 'off', path: '/account/security' },
  { state: 'qr-code', path: '/account/security', ...as('qr-reader'), act: beginTwoFactor },
  {
    state: 'codes',
    path: '/account/security',
    ...as('careful'),
    widths: [1440],
    async act(page) {
      // The first picture turns it on, the others make new codes.
      if (await page.getByRole('button', { name: 'Turn on' }).isVisible()) {
        await beginTwoFactor(page);
        const secret = await page.locator('.account-key code').textContent();
        await page.getByLabel('Code that the app shows').fill(codeAt(secret ?? '', new Date()));
        await page.getByRole('button', { name: 'I have kept them' }).waitFor();
      }
    },
  },
]);

defineScreens('sessions', [{ state: 'list', path: '/account/sessions' }]);
