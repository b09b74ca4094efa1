/** Story 8: watch the queue while a script fills it, and lose nothing when the server is killed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GPTJ_PIPELINE_ID } from '@gptj-cloud/protocol';
import type { Page } from 'playwright-core';
import { SKIP_WITHOUT_CHROMIUM } from './chromium.ts';
import { OWNER, useDashboard } from './dashboard.ts';
import { type ServerProcess, startServerProcess } from './server-process.ts';

const skip = SKIP_WITHOUT_CHROMIUM;
let server: ServerProcess | undefined;
const dashboard = useDashboard({
  async start(options) {
    server = await startServerProcess(options);
    return server;
  },
});

const RUNS = 30;
const LONG = { max_new_tokens: 1500, min_new_tokens: 1500, seed: 7 };

const rows = (page: Page) => page.getByRole('grid', { name: 'Runs' }).getByRole('row').filter({ hasText: 'queued' });
const count = (page: Page, text: string) => page.locator('.runs-count').getByText(text, { exact: true });

async function startRun(prompt: string, parameters: object) {
  return await dashboard().api.startRun(GPTJ_PIPELINE_ID, [prompt, parameters]);
}

test('runs of a script appear in the open list, hold their places under the pointer, and are filtered and cancelled', {
  skip,
}, async () => {
  const { api } = dashboard();
  const { total: before } = await api.listRuns({ limit: 1 });
  const first = await startRun('queued first', { max_new_tokens: 2 });
  const page = await dashboard().open('/runs', { as: OWNER });
  await page.getByText('live', { exact: true }).waitFor();
  await rows(page).first().waitFor();

  // A run that begins while the pointer is on a row waits for a press.
  await rows(page).first().hover();
  await startRun('queued second', { max_new_tokens: 2 });
  const news = page.getByRole('button', { name: /^Show 1 new run$/ });
  await news.waitFor();
  assert.ok((await rows(page).first().textContent())?.includes('queued first'));
  await news.click();
  await page.getByRole('row').filter({ hasText: 'queued second' }).waitFor();
  await page.mouse.move(0, 0);
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());

  for (let index = 0; index < RUNS; index++) await startRun(`queued ${index}`, { max_new_tokens: 4 });
  await count(page, `${before + RUNS + 2} runs`).waitFor();
  const long = await startRun('queued to be cancelled', LONG);
  const row = page.getByRole('row').filter({ hasText: 'queued to be cancelled' });
  await row.getByRole('button', { name: /cancel/i }).click();
  await page.getByText('The run was cancelled.').first().waitFor();
  await row.getByText('cancelled', { exact: true }).waitFor();
  assert.equal((await api.waitForRun(long.id)).runState, 'failed');

  await page.goto(new URL('/runs?state=failed', dashboard().url).href);
  await count(page, '1 run').waitFor();
  await page.getByRole('row').filter({ hasText: 'queued to be cancelled' }).waitFor();
  // The list is that of the API.
  await page.goto(new URL('/runs', dashboard().url).href);
  const { total } = await api.listRuns({ limit: 1 });
  await count(page, `${total} runs`).waitFor();
  assert.ok((await api.getRun(first.id)).runState === 'complete');
});

test('a server that is killed and started again loses no run, and the open page goes on by itself', {
  skip,
}, async () => {
  // The browser reports the requests that fail meanwhile.
  dashboard().expectProblem(/Failed to load resource: net::ERR_/);
  const page = await dashboard().open('/runs', { as: OWNER });
  await page.getByText('live', { exact: true }).waitFor();
  const long = await startRun('queued over a restart', { ...LONG, max_new_tokens: 600, min_new_tokens: 600 });
  const row = page.getByRole('row').filter({ hasText: 'queued over a restart' });
  await row.getByText('running', { exact: true }).waitFor();
  await server?.kill();
  await page
    .getByRole('button', { name: 'Check now' })
    .or(page.getByLabel(/Check now/))
    .first()
    .click();
  await page.getByText('The server does not answer; what is on this page stays.').waitFor();
  assert.ok(await row.isVisible());
  await server?.restart();
  await page.getByText('The server does not answer').waitFor({ state: 'detached' });
  await row.getByText('complete', { exact: true }).waitFor({ timeout: 120_000 });
  const ended = await dashboard().api.getRun(long.id);
  assert.deepEqual([ended.runState, ended.usage?.generatedTokens], ['complete', 600]);
});
