/** The pages of the router and the addresses that the server answers with the shell are the same. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { SKIP_WITHOUT_CHROMIUM } from './chromium.ts';
import { OWNER, useDashboard } from './dashboard.ts';

const ROUTER = new URL('../../../apps/dashboard/src/router.tsx', import.meta.url);
const skip = SKIP_WITHOUT_CHROMIUM;
const dashboard = useDashboard();

test('the server knows every page of the router, and answers 404 with the shell elsewhere', { skip }, async () => {
  const routes = [...readFileSync(ROUTER, 'utf8').matchAll(/^ {2}path: '(\/[^']*)'/gm)].map(([, path = '']) => path);
  assert.ok(routes.length > 20, routes.join(' '));
  const { request } = await dashboard().context();
  const open = async (path: string) =>
    await request.get(`${dashboard().url}${path.replaceAll(/\$\w+/g, 'x')}`, { headers: { accept: 'text/html' } });
  for (const path of routes.filter((each) => each !== '/ui')) assert.equal((await open(path)).status(), 200, path);
  const unknown = await open('/no-such-page');
  assert.equal(unknown.status(), 404);
  assert.match(await unknown.text(), /id="root"/);
});

test('a browser in another language gets the same English pages', { skip }, async () => {
  const page = await dashboard().open('/', { as: OWNER, locale: 'ar-AE' });
  await page.getByRole('button', { name: 'Account of owner' }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).waitFor();
});
