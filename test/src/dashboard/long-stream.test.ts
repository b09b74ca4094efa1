/** A stream that fills the context: the page stays small. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { SKIP_WITHOUT_CHROMIUM } from './chromium.ts';
import { OWNER, useDashboard } from './dashboard.ts';

const skip = SKIP_WITHOUT_CHROMIUM;
const dashboard = useDashboard();

const PROMPT = 'Once upon a time';
const TOKENS = 2040;
const MAX_NODES = 5000;

test('2,048 tokens stream into a page of fewer than 5,000 elements, as text and as tokens', {
  skip,
  timeout: 600_000,
}, async () => {
  const parameters = { max_new_tokens: TOKENS, min_new_tokens: TOKENS, do_sample: true, seed: 7 };
  const shared = deflateRawSync(JSON.stringify([1, [['t', PROMPT]], parameters])).toString('base64url');
  const page = await dashboard().open(`/playground#s=${shared}`, { as: OWNER });
  page.setDefaultTimeout(500_000);
  const text = page.getByLabel('Text', { exact: true });
  await page.waitForFunction((expected) => document.querySelector('textarea')?.value === expected, PROMPT);
  await page.evaluate(() => {
    const peak = { nodes: 0 };
    Object.assign(globalThis, { peak });
    new MutationObserver(() => {
      peak.nodes = Math.max(peak.nodes, document.getElementsByTagName('*').length);
    }).observe(document, { childList: true, subtree: true });
  });
  await page.keyboard.press('Control+Enter');
  await page
    .locator('.playground-note')
    .getByText(/^ended by length$/)
    .waitFor();
  assert.ok((await text.inputValue()).length > TOKENS);
  await page.keyboard.press('Alt+t');
  await page.getByRole('option').nth(20).waitFor();
  const { nodes } = await page.evaluate(() => (globalThis as unknown as { peak: { nodes: number } }).peak);
  assert.ok(nodes > 0 && nodes < MAX_NODES, `${nodes} elements`);
});
