/** The pages of the own account. */
import type { Page } from 'playwright-core';
import type { Account } from '../dashboard.ts';
import { failReplies, holdReplies } from '../replies.ts';
import { defineScreens, type Screen } from '../screen.ts';

const AGENTS = [
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 14.5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15',
  'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Mobile Safari/537.36',
  'python-requests/2.32',
];
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
  { state: 'error', path: '/account/security', arrange: failReplies('**/v2/auth/identities'), widths: [390] },
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

defineScreens('sessions', [
  { state: 'list', path: '/account/sessions' },
  { state: 'loading', path: '/account/sessions', isLoading: true, arrange: holdReplies('**/v2/auth/sessions') },
  { state: 'error', path: '/account/sessions', arrange: failReplies('**/v2/auth/sessions') },
  {
    state: 'long',
    path: '/account/sessions',
    ...as('traveller'),
    arrange: (page) =>
      page.route('**/v2/auth/sessions', async (route) => {
        const seen = (await page.evaluate(() => Date.now())) / 1000;
        const entry = (at: number) => ({
          id: `session_${at}`,
          created_at: seen - 86_400 * at - 600,
          last_seen: seen - 3600 * at,
          expires_at: seen + 86_400 * 20,
          address: at % 3 === 0 ? `2001:db8:85a3:8d3:1319:8a2e:370:73${10 + at}` : `203.0.113.${at}`,
          user_agent: AGENTS[at % AGENTS.length] ?? '',
          current: at === 0,
        });
        await route.fulfill({ json: { data: Array.from({ length: 40 }, (_, at) => entry(at)) } });
      }),
  },
]);
