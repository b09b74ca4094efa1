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
  { state: 'unknown', path: '/runs/no/such/page' },
]);
