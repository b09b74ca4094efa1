/** The playground over a model that a completions server computes, which reports no log-probabilities after parameters. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { type RunningServer, serve } from '@gptj-cloud/server';
import { NANO_PATH } from '../completions/nano-model.ts';
import { SKIP_WITHOUT_CHROMIUM } from './chromium.ts';
import { type Dashboard, OWNER, openDashboard } from './dashboard.ts';

const skip = SKIP_WITHOUT_CHROMIUM;
const KEY = 'behind-dashboard-0123456789';
let folder: string;
let behind: RunningServer | undefined;
let dashboard: Dashboard | undefined;

before(async () => {
  if (skip !== false) return;
  folder = await mkdtemp(join(tmpdir(), 'gptj-behind-dashboard-'));
  const quiet = { environment: {}, print: () => {}, log: () => {} };
  behind = await serve({ port: 0, dataDir: folder, apiToken: KEY }, quiet);
  const environment = { GPTJ_ENGINE: `openai=${behind.url}`, ENGINE_KEY: KEY, GPTJ_MODEL: NANO_PATH };
  dashboard = await openDashboard({ environment });
});
after(async () => {
  await dashboard?.close();
  await behind?.close();
  if (skip === false) await rm(folder, { recursive: true, force: true });
});

test('the playground generates there, and shows the chances of the model alone', { skip }, async () => {
  assert.ok(dashboard !== undefined);
  const text = 'Once upon a time there was a little girl who';
  const parameters = { max_new_tokens: 6, top_k: 3 };
  const shared = deflateRawSync(JSON.stringify([1, [['t', text]], parameters])).toString('base64url');
  const page = await dashboard.open(`/playground#s=${shared}`, { as: OWNER });
  // The browser reports the refused question as an error of the page.
  dashboard.expectProblem(/400/);
  await page.locator('.playground-check-line').getByText('≤ 6 tokens').waitFor();
  await page.getByRole('button', { name: 'Generate' }).click();
  await page.locator('.playground-note').getByText('ended by length').waitFor();
  await page.getByRole('link', { name: 'Tokens', exact: true }).click();
  await page.getByRole('option').first().click();
  await page.getByText('removed by top_k 3', { exact: true }).waitFor();
  assert.equal(await page.locator('.ui-alternative-after').count(), 0);
  assert.equal(await page.locator('.ui-alternative .ui-token-cut').count(), 7);
  await dashboard.endTest();
});
