/** A list of runs that changes while one looks at it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { SKIP_WITHOUT_CHROMIUM } from './chromium.ts';
import { OWNER, useDashboard } from './dashboard.ts';

const skip = SKIP_WITHOUT_CHROMIUM;
const PIPELINE = 'gpt-j:latest';
const RUNS = 30;
const dashboard = useDashboard({ environment: { MAX_RUNNING_RUNS: '2' } });

const start = async (prompt: string, tokens: number): Promise<string> => {
  const parameters = { max_new_tokens: tokens, min_new_tokens: tokens };
  return (await dashboard().api.startRun(PIPELINE, [prompt, parameters])).id;
};
/** Data rows of the list, without its head. */
const rowsOf = (page: Page) => page.getByRole('row').filter({ hasNot: page.getByRole('columnheader') });
const leave = (page: Page): Promise<void> => page.mouse.move(1, 1);

test('runs appear and end while the page is open, and the list is that of the API', { skip }, async () => {
  const page = await dashboard().open('/runs', { as: OWNER });
  await page.getByText('No run yet').waitFor();
  await page.getByText('live', { exact: true }).waitFor();
  await leave(page);
  await Promise.all(Array.from({ length: RUNS }, (_, index) => start(`Prompt ${index + 1}`, 4)));
  await page.getByText(`${RUNS} runs`, { exact: true }).waitFor();
  // The server has ended them all before the page has to show it.
  const { items: open } = await dashboard().api.runs.summaries({ limit: 100 });
  await Promise.all(open.map(({ id }) => dashboard().api.waitForRun(id)));
  await rowsOf(page)
    .filter({ hasText: 'complete' })
    .nth(RUNS - 1)
    .waitFor();
  const { items } = await dashboard().api.runs.summaries({ limit: 100 });
  const shown = await rowsOf(page).evaluateAll((rows) => rows.map((row) => row.getAttribute('data-key')));
  assert.deepEqual(
    shown,
    items.map(({ id }) => id),
  );
});

test('no row moves below the pointer: new runs wait', { skip }, async () => {
  await Promise.all([start('one', 2), start('two', 2), start('three', 2)]);
  const page = await dashboard().open('/runs', { as: OWNER });
  const row = rowsOf(page).nth(2);
  await row.waitFor();
  await page.getByText('live', { exact: true }).waitFor();
  await row.hover();
  const before = [await row.getAttribute('data-key'), await row.boundingBox()];
  const ids = await Promise.all([start('four', 2), start('five', 2)]);
  const show = page.getByRole('button', { name: 'Show 2 new runs' });
  await show.waitFor();
  assert.deepEqual([await row.getAttribute('data-key'), await row.boundingBox()], before);
  await show.click();
  for (const id of ids) await page.locator(`[data-key="${id}"]`).waitFor();
});

test('a run is cancelled from the list, and the filter finds it', { skip }, async () => {
  const page = await dashboard().open('/runs', { as: OWNER });
  await page.getByText('live', { exact: true }).waitFor();
  await leave(page);
  const id = await start('The king was', 1500);
  const row = page.locator(`[data-key="${id}"]`);
  await row.getByRole('button', { name: 'Cancel the run' }).click();
  await row.getByText('cancelled', { exact: true }).waitFor();
  await page.getByRole('button', { name: /State/ }).click();
  await page.getByRole('option', { name: 'Failed' }).click();
  await page.waitForURL(/state=failed/);
  await page.getByText('1 run', { exact: true }).waitFor();
  assert.equal(await rowsOf(page).count(), 1);
  await row.waitFor();
  // A search that finds nothing offers the way back.
  await page.getByRole('searchbox', { name: 'Text or id' }).fill('no run has this text');
  await page.getByText('No run matches the filters.').waitFor();
  await page.getByRole('button', { name: 'Clear the filters' }).click();
  await row.waitFor();
});

test('the keyboard walks the list, opens a run and comes back to it', { skip }, async () => {
  const id = await start('Once upon a time', 3);
  await dashboard().api.waitForRun(id);
  const page = await dashboard().open('/runs', { as: OWNER });
  await page.locator(`[data-key="${id}"]`).waitFor();
  await page.getByRole('grid', { name: 'Runs' }).focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/runs\/run_/);
  await page.getByRole('heading', { name: 'Run', level: 1 }).waitFor();
  await page.goBack();
  await page.locator(`[data-key="${id}"]`).waitFor();
});

test('the keyboard orders the list by its heads, and new runs come last with the oldest first', { skip }, async () => {
  const ids = [await start('a short one', 2), await start('a longer one', 40)];
  for (const id of ids) await dashboard().api.waitForRun(id);
  const page = await dashboard().open('/runs', { as: OWNER });
  const head = (name: string) => page.getByRole('columnheader', { name });
  const sorts = async (name: string, sort: string): Promise<void> =>
    await page.locator(`[role=columnheader][aria-sort=${sort}]`, { hasText: name }).waitFor();
  const shown = async (): Promise<readonly (string | null)[]> =>
    await rowsOf(page).evaluateAll((rows) => rows.map((row) => row.getAttribute('data-key')));
  const listed = async (order: 'largest' | 'oldest'): Promise<readonly string[]> =>
    (await dashboard().api.runs.summaries({ limit: 100, order })).items.map(({ id }) => id);
  await sorts('Accepted', 'descending');
  await head('Tokens').first().focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(/order=largest/);
  await sorts('Tokens', 'descending');
  await page.getByText('Ended runs, most tokens first').waitFor();
  assert.deepEqual(await shown(), await listed('largest'));
  await head('Accepted').focus();
  await page.keyboard.press('Enter');
  await sorts('Accepted', 'descending');
  await page.keyboard.press('Enter');
  await page.waitForURL(/order=oldest/);
  await sorts('Accepted', 'ascending');
  assert.deepEqual(await shown(), await listed('oldest'));
  await page.getByText('live', { exact: true }).waitFor();
  const late = await start('the last one', 2);
  await page.locator(`[data-key="${late}"]`).waitFor();
  assert.equal((await shown()).at(-1), late);
});

test('selected runs are deleted, with their results', { skip }, async () => {
  const ids = [await start('delete me', 2), await start('and me', 2)];
  for (const id of ids) await dashboard().api.waitForRun(id);
  const page = await dashboard().open('/runs', { as: OWNER });
  for (const id of ids) await page.locator(`[data-key="${id}"] label`).first().click();
  await page.getByText('2 runs selected').waitFor();
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
  for (const id of ids) await page.locator(`[data-key="${id}"]`).waitFor({ state: 'detached' });
  for (const id of ids) await assert.rejects(dashboard().api.getRun(id), /not found|no run/i);
});

test('a run that another tab deletes leaves the list and its own page', { skip }, async () => {
  const id = await start('delete me elsewhere', 2);
  await dashboard().api.waitForRun(id);
  const list = await dashboard().open('/runs', { as: OWNER });
  const row = list.locator(`[data-key="${id}"]`);
  await row.waitFor();
  await list.getByText('live', { exact: true }).waitFor();
  const run = await dashboard().open(`/runs/${id}`, { as: OWNER });
  await run.getByRole('button', { name: 'More actions' }).waitFor();
  await dashboard().api.deleteRun(id);
  await row.waitFor({ state: 'detached' });
  await run.getByRole('alert').filter({ hasText: id }).waitFor();
});

test('j and k walk the rows, x selects one, Enter opens it, and / comes to the search', { skip }, async () => {
  const ids = [await start('first of two', 2), await start('second of two', 2)];
  for (const id of ids) await dashboard().api.waitForRun(id);
  const page = await dashboard().open('/runs', { as: OWNER });
  const [older = '', newer = ''] = ids;
  await page.locator(`[data-key="${older}"]`).waitFor();
  const focused = async (): Promise<string | null> =>
    await page.evaluate(() => document.activeElement?.getAttribute('data-key') ?? null);
  await page.keyboard.press('j');
  assert.equal(await focused(), newer);
  await page.keyboard.press('j');
  assert.equal(await focused(), older);
  await page.keyboard.press('x');
  await page.getByText('1 run selected').waitFor();
  await page.keyboard.press('k');
  assert.equal(await focused(), newer);
  await page.keyboard.press('x');
  await page.getByText('2 runs selected').waitFor();
  await page.keyboard.press('x');
  await page.getByText('1 run selected').waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('of two');
  await page.waitForURL(/q=of/);
  assert.equal(await page.getByRole('searchbox').inputValue(), 'of two', 'letters of a text are no keys');
  await page.getByText('2 runs', { exact: true }).waitFor();
  // A table that shows new rows gives the focus to the row that had it when it is focused again.
  await page.waitForFunction((key) => {
    document.querySelector<HTMLElement>('[role="grid"]')?.focus();
    return document.activeElement?.getAttribute('data-key') === key;
  }, newer);
  await page.keyboard.press('Enter');
  await page.waitForURL(new RegExp(`/runs/${newer}`));
});
