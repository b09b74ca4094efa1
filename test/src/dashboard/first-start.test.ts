/** Story 1: the first minute with a new server, from the printed link to a run from a shell. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { SKIP_WITHOUT_CHROMIUM } from './chromium.ts';
import { OWNER, useDashboard } from './dashboard.ts';

const skip = SKIP_WITHOUT_CHROMIUM;
const dashboard = useDashboard({ ownerExists: false, isFirstStart: true });
const run = promisify(execFile);

const tokenOn = (page: Page) => page.locator('.ui-secret-value');

/** Everything that the browser keeps for this server. */
async function stored(page: Page): Promise<string> {
  const storage = await page.evaluate(async () => {
    const databases = await indexedDB.databases();
    const caches = await globalThis.caches.keys();
    return JSON.stringify({ ...localStorage, ...sessionStorage, databases, caches, history: history.state as unknown });
  });
  return storage + JSON.stringify(await page.context().cookies());
}

test('the printed link leads in one press to a token that a pasted command uses', { skip }, async () => {
  const { setUpLink } = dashboard();
  const secret = new URL(setUpLink).hash.slice(1);
  assert.ok(secret.length > 20);
  const page = await dashboard().open(setUpLink);
  await page.getByLabel('E-mail').fill(OWNER.email);
  await page.getByLabel('Username').fill(OWNER.username);
  await page.getByRole('textbox', { name: 'Password', exact: true }).fill(OWNER.password);
  await page.getByRole('button', { name: 'Create the account' }).click();

  // Home, with the token in place.
  const value = (await tokenOn(page).textContent()) ?? '';
  assert.match(value, /^gptj_[\w-]{20,}/);
  assert.equal(new URL(page.url()).pathname, '/');

  const command = (await page.getByRole('tabpanel').textContent()) ?? '';
  assert.ok(command.includes(value) && command.includes(dashboard().url), command);
  const { stdout } = await run('bash', ['-c', command]);
  const reply: unknown = JSON.parse(stdout);
  assert.ok(JSON.stringify(Reflect.get(Object(reply), 'result_preview')).length > '[[""]]'.length, stdout);

  for (const place of [await stored(page), page.url(), dashboard().log.join('\n')]) {
    assert.ok(!place.includes(value), 'the token is on the page only');
    assert.ok(!place.includes(secret), 'the secret of the link is used and gone');
  }
  await page.reload();
  const masked = page.locator('.ui-masked');
  assert.match((await masked.textContent()) ?? '', /^gptj_\S+•+/);
  assert.equal(await tokenOn(page).count(), 0);
  assert.ok(!(await page.content()).includes(value));
  const made = (await dashboard().api.tokens.list()).items.filter(({ name }) => name !== 'GPTJ_API_TOKEN');
  assert.equal(made.length, 1, 'a reload makes no other token');
});

test('"Run here" shows a text, and the run is in the list below', { skip }, async () => {
  const page = await dashboard().open('/', { as: OWNER });
  await page.getByRole('button', { name: 'Rotate' }).waitFor();
  await page.getByRole('button', { name: 'Run here' }).click();
  const text = (await page.locator('.home-reply-text').or(page.getByRole('alert')).first().textContent()) ?? '';
  assert.ok(text.startsWith('Once upon a time') && text.length > 30, text);
  await page.getByRole('link', { name: 'Open the run' }).click();
  await page.waitForURL(/\/runs\/run_/);
});

test('a used link is refused with what to do', { skip }, async () => {
  const page = await dashboard().open(dashboard().setUpLink);
  await page.getByLabel('E-mail').fill('other@example.com');
  await page.getByLabel('Username').fill('other');
  await page.getByRole('textbox', { name: 'Password', exact: true }).fill(OWNER.password);
  await page.getByRole('button', { name: 'Create the account' }).click();
  await page.getByRole('alert').waitFor();
});
