/** The manual at /docs in a browser. Its screens are checked with those of the dashboard. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SKIP_WITHOUT_CHROMIUM } from './chromium.ts';
import { OWNER, useDashboard } from './dashboard.ts';

const skip = SKIP_WITHOUT_CHROMIUM;
const dashboard = useDashboard();

test('the reference sends a run with the session of the dashboard, and shows its text', { skip }, async () => {
  const page = await dashboard().open('/docs/reference/runs#post_v2_runs', { as: OWNER });
  const operation = page.locator('#post_v2_runs');
  await operation.getByRole('button', { name: 'Send POST' }).click();
  await operation.getByText('"run_state": "complete"').waitFor();
  assert.match((await operation.locator('.reply').textContent()) ?? '', /^200 OK after \d+ ms/);
});

test('the reference shows a stream while it arrives', { skip }, async () => {
  const page = await dashboard().open('/docs/reference/runs#post_v2_runs', { as: OWNER });
  const operation = page.locator('#post_v2_runs');
  const body = { pipeline_id: 'gpt-j:latest', stream: true, data: ['Once upon a time', { response_length: 8 }] };
  await operation.getByRole('textbox', { name: 'Body' }).fill(JSON.stringify(body));
  await operation.getByRole('button', { name: 'Send POST' }).click();
  await operation.getByText('event: token').waitFor();
  await operation.getByText('"run_state":"complete"').waitFor();
});

test('without a token and a session the reference shows the refusal', { skip }, async () => {
  const page = await dashboard().open('/docs/reference/runs#get_v2_runs_id');
  const operation = page.locator('#get_v2_runs_id');
  await operation.getByRole('textbox', { name: 'id' }).fill('run_1');
  await operation.getByRole('button', { name: 'Send GET' }).click();
  await operation.getByText('token_missing').waitFor();
});

test('the chosen language of examples stays chosen on the next page', { skip }, async () => {
  const page = await dashboard().open('/docs/reference/runs#get_v2_runs');
  await page.locator('#get_v2_runs').getByRole('tab', { name: 'Python' }).click();
  await page.goto(`${dashboard().url}/docs/reference/tokens#get_v2_tokens`);
  const operation = page.locator('#get_v2_tokens');
  assert.equal(await operation.getByRole('tab', { name: 'Python' }).getAttribute('aria-selected'), 'true');
  await operation.getByText('import urllib.request').waitFor();
});

test('the filter leaves the operations and pages that contain its words', { skip }, async () => {
  const page = await dashboard().open('/docs/reference');
  await page.getByRole('searchbox', { name: 'Filter' }).fill('rotate');
  await page.getByRole('cell', { name: '/v2/tokens/{id}/rotate' }).waitFor();
  assert.equal(await page.getByRole('cell', { name: '/v2/projects', exact: true }).count(), 0);
});

test('the button beside a block of code copies it', { skip }, async () => {
  const page = await dashboard().open('/docs');
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  const block = page.locator('.code', { hasText: 'gptj run' });
  await block.hover();
  await block.getByRole('button', { name: 'Copy' }).click();
  await block.getByRole('button', { name: 'Copied' }).waitFor();
  assert.match(await page.evaluate('navigator.clipboard.readText()'), /^gptj run "I met a traveller/);
});
