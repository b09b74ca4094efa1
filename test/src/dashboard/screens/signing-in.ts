import type { Page } from 'playwright-core';
import { defineScreens } from '../screen.ts';

const SECRET = 'a-secret-of-a-link-0123456789';

defineScreens('login', [
  { state: 'empty', path: '/login', as: null },
  {
    state: 'wrong',
    path: '/login',
    as: null,
    arrange: (page) => refuseLogin(page, 401, { code: 'sign_in_failed', message: 'login or password is wrong' }),
    act: signIn,
  },
  {
    state: 'locked',
    path: '/login',
    as: null,
    arrange: (page) =>
      refuseLogin(page, 429, {
        code: 'too_many_attempts',
        message: 'too many attempts; further attempts are refused for now',
        retry_after_ms: 27_000,
      }),
    act: signIn,
  },
  {
    state: 'code',
    path: '/login',
    as: null,
    arrange: (page) => refuseLogin(page, 401, { code: 'code_required', message: 'a two-factor code is needed' }),
    act: signIn,
  },
]);

defineScreens('register', [{ state: 'empty', path: '/register', as: null }]);
defineScreens('set-up', [
  {
    state: 'typing',
    path: `/set-up#${SECRET}`,
    as: null,
    act: async (page) => await page.getByLabel('Password', { exact: true }).fill('correct horse battery'),
  },
  { state: 'no-secret', path: '/set-up', as: null },
]);
defineScreens('forgot-password', [{ state: 'empty', path: '/forgot-password', as: null }]);
defineScreens('reset-password', [{ state: 'empty', path: `/reset-password#${SECRET}`, as: null }]);
defineScreens('verify-email', [
  { state: 'signed-out', path: `/verify-email#${SECRET}`, as: null },
  { state: 'signed-in', path: `/verify-email#${SECRET}` },
]);
defineScreens('two-factor', [{ state: 'empty', path: `/two-factor#${SECRET}`, as: null }]);

async function refuseLogin(page: Page, status: number, detail: Readonly<Record<string, unknown>>): Promise<void> {
  await page.route('**/v2/auth/login', (route) => route.fulfill({ status, json: { detail } }));
}

async function signIn(page: Page): Promise<void> {
  await page.getByLabel('E-mail address or username').fill('ann');
  await page.getByLabel('Password', { exact: true }).fill('correct horse battery');
  await page.getByRole('button', { name: 'Sign in' }).click();
}
