/** An evaluation is read document by document, with the keyboard alone, and deleted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sessionOf } from './accounts.ts';
import { SKIP_WITHOUT_CHROMIUM } from './chromium.ts';
import { OWNER, useDashboard } from './dashboard.ts';
import { storeEvaluation } from './stored-evaluation.ts';

const dashboard = useDashboard();

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
