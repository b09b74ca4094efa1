/** An evaluation is read document by document, with the keyboard alone, and deleted; two are compared. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sessionOf } from './accounts.ts';
import { SKIP_WITHOUT_CHROMIUM } from './chromium.ts';
import { OWNER, useDashboard } from './dashboard.ts';
import { storeComparison, storeEvaluation } from './stored-evaluation.ts';

const dashboard = useDashboard();

test('chooses two evaluations with the keyboard and opens an answer that flipped', {
  skip: SKIP_WITHOUT_CHROMIUM,
}, async () => {
  const api = await sessionOf(dashboard(), OWNER);
  await storeComparison(api);
  const page = await dashboard().open('/evaluations', { as: OWNER });
  for (const name of ['GPT-J 6B, f16', 'GPT-J 6B, q4_0']) {
    await page.getByRole('row', { name, exact: false }).filter({ hasNotText: 'interrupted' }).first().focus();
    await page.keyboard.press('Space');
  }
  await page.getByRole('link', { name: 'Compare the two selected' }).focus();
  await page.keyboard.press('Enter');
  const scores = page.getByRole('table').first();
  await scores
    .getByRole('row', { name: /piqa, harness acc .* p [01]\.\d{3}/ })
    .first()
    .waitFor();
  const changes = page.getByRole('button', { name: /Changes/ });
  await changes.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('option', { name: 'Right only before' }).waitFor();
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  const documents = page.locator('details.evaluations-document');
  await page.waitForURL(/change=lost/);
  await documents.filter({ hasText: 'lost' }).first().waitFor();
  await documents.first().locator('summary').focus();
  await page.keyboard.press('Enter');
  const choices = page.getByRole('table', { name: /^Choices of document / });
  await choices.waitFor();
  assert.equal(await choices.getByRole('row', { name: /right choice, chosen before/ }).count(), 1);
  assert.equal(await choices.getByRole('row', { name: /chosen after/ }).count(), 1);
});

test('opens wrong answers with the keyboard, and deletes the evaluation', { skip: SKIP_WITHOUT_CHROMIUM }, async () => {
  const api = await sessionOf(dashboard(), OWNER);
  const path = await storeEvaluation(api);
  const page = await dashboard().open(`${path}?task=3&answers=wrong&order=worst`, { as: OWNER });
  const documents = page.locator('details.evaluations-document');
  await documents.first().waitFor();
  assert.ok((await documents.locator('summary').allTextContents()).every((text) => text.includes('wrong')));
  const choices = page.getByRole('table', { name: /^Choices of document / });
  assert.equal(await choices.count(), 0);
  await documents.first().locator('summary').focus();
  await page.keyboard.press('Enter');
  await choices.waitFor();
  assert.equal(await choices.getByRole('row', { name: /right choice/ }).count(), 1);
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
  await page.waitForURL(/\/evaluations$/);
  await assert.rejects(api.evaluations.get(path.split('/').at(-1) ?? ''), { status: 404 });
});
