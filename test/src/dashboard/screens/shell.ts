import { defineScreens } from '../screen.ts';

const WIDE = [1440];
const PHONE = [390];

/** What opens over every page. */
defineScreens('shell', [
  {
    state: 'palette',
    path: '/account',
    act: async (page) => {
      await page.keyboard.press('Control+k');
      await page.getByRole('dialog', { name: 'Commands' }).waitFor();
    },
  },
  {
    state: 'keys',
    path: '/account',
    widths: WIDE,
    act: async (page) => {
      await page.keyboard.press('?');
      await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    },
  },
  {
    state: 'account-menu',
    path: '/account',
    act: async (page) => {
      await page.getByRole('button', { name: /^Account of/ }).click();
      await page.getByRole('menuitem', { name: 'Sign out' }).waitFor();
    },
  },
  {
    state: 'projects',
    path: '/account',
    widths: WIDE,
    act: async (page) => {
      await page.getByRole('button', { name: /^Project .*: switch$/ }).click();
      await page.getByRole('menuitem', { name: 'Members and projects' }).waitFor();
    },
  },
  {
    state: 'more',
    path: '/account',
    widths: PHONE,
    act: async (page) => {
      await page.getByRole('button', { name: 'More', exact: true }).click();
      await page.getByRole('dialog', { name: 'More' }).waitFor();
    },
  },
  {
    state: 'not-ready',
    path: '/account',
    arrange: (page) =>
      page.route('**/readyz', (route) =>
        route.fulfill({ status: 503, json: { status: 'not ready', reasons: ['engine'] } }),
      ),
    act: async (page) => await page.getByText('The server is not ready').waitFor(),
  },
  {
    state: 'offline',
    path: '/account',
    arrange: (page) => page.route('**/readyz', (route) => route.abort()),
    act: async (page) => await page.getByText('The server does not answer').waitFor(),
  },
  {
    state: 'session-ended',
    path: '/account',
    // The page behind the dialog waits for its data.
    isLoading: true,
    act: async (page) => {
      await page.route('**/v2/tokens?*', (route) =>
        route.fulfill({
          status: 401,
          json: { detail: { code: 'session_ended', message: 'the session has ended', remedy: 'sign in again' } },
        }),
      );
      await page.keyboard.press('g');
      await page.keyboard.press('t');
      await page.getByRole('dialog', { name: 'Your session has ended' }).waitFor();
    },
  },
  {
    state: 'confirmation',
    path: '/tokens',
    act: async (page) => {
      await page.route('**/v2/tokens', (route) =>
        route.request().method() === 'POST'
          ? route.fulfill({
              status: 403,
              json: { detail: { code: 'confirmation_required', message: 'confirm it', remedy: 'send the password' } },
            })
          : route.fallback(),
      );
      await page.getByRole('button', { name: 'New token' }).click();
      await page.getByRole('textbox', { name: 'Name' }).fill('ci');
      await page.getByRole('button', { name: 'Create' }).click();
      await page.getByRole('dialog', { name: 'Confirm that it is you' }).waitFor();
    },
  },
  { state: 'unknown', path: '/runs/no/such/page' },
]);
