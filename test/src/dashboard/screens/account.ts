/** The pages of the own account. */
import type { Page } from 'playwright-core';
import type { Account } from '../dashboard.ts';
import { defineScreens, type Screen } from '../screen.ts';

const CODES = Array.from({ length: 10 }, (_, at) => `k${at}4q-9xw${9 - at}-t2mv`);
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
    // The account stays without a second factor, so that it can sign in for the other pictures.
    arrange: (page) =>
      page.route('**/v2/auth/two-factor/confirm', (route) => route.fulfill({ json: { recovery_codes: CODES } })),
    async act(page) {
      await beginTwoFactor(page);
      await page.getByLabel('Code that the app shows').fill('123456');
      await page.getByRole('button', { name: 'I have kept them' }).waitFor();
    },
  },
]);

defineScreens('sessions', [{ state: 'list', path: '/account/sessions' }]);
