/** A stream that fills the context: the page stays small, and what a token costs does not grow with the text. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { SKIP_WITHOUT_CHROMIUM } from './chromium.ts';
import { OWNER, useDashboard } from './dashboard.ts';

const skip = SKIP_WITHOUT_CHROMIUM;
const timeout = 600_000;
const dashboard = useDashboard();

const PROMPT = 'Once upon a time';
const MAX_NODES = 5000;
/** Characters of one text of the document: a browser lays out a whole text anew when its end changes. */
const MAX_CHANGED_TEXT = 1024;
/** A token is an element once, and plain text or an element again when it leaves or enters the window. */
const MAX_ADDED_PER_TOKEN = 4;

interface Changes {
  /** Most elements that the document had at one time. */
  nodes: number;
  /** Length of the longest text that was changed in the document. */
  longestText: number;
  /** Nodes that were added below the text. */
  added: number;
}

/** Stream `tokens` tokens into the view, and count what changes in the document. */
async function stream(view: 'write' | 'tokens', tokens: number): Promise<{ page: Page; changes: Changes }> {
  const parameters = { max_new_tokens: tokens, min_new_tokens: tokens, do_sample: true, seed: 7 };
  const shared = deflateRawSync(JSON.stringify([1, [['t', PROMPT]], parameters])).toString('base64url');
  const page = await dashboard().open(`/playground?view=${view}#s=${shared}`, { as: OWNER });
  page.setDefaultTimeout(timeout);
  await page.locator('.playground-paper').getByText(PROMPT).first().waitFor();
  // The line about the next run has been answered.
  await page.getByText(/≤ [\d,]+ tokens/).waitFor();
  await page.evaluate(() => {
    const changes: Changes = { nodes: 0, longestText: 0, added: 0 };
    Object.assign(globalThis, { changes });
    const observer = new MutationObserver((records) => {
      changes.nodes = Math.max(changes.nodes, document.getElementsByTagName('*').length);
      for (const { type, target, addedNodes } of records) {
        if (type === 'characterData') {
          changes.longestText = Math.max(changes.longestText, target.textContent?.length ?? 0);
        }
        if ((target as Element).closest?.('.playground-paper') == null) continue;
        for (const added of addedNodes) {
          changes.added += added instanceof Element ? 1 + added.getElementsByTagName('*').length : 1;
        }
      }
    });
    observer.observe(document, { childList: true, subtree: true, characterData: true });
  });
  await page.keyboard.press('Control+Enter');
  const note = page.locator('.playground-note');
  await note.getByText(/^ended by length$/).waitFor();
  assert.equal(await note.getByText(/^[\d,]+ tokens$/).textContent(), `${tokens.toLocaleString('en')} tokens`);
  const changes = await page.evaluate(() => (globalThis as unknown as { changes: Changes }).changes);
  return { page, changes };
}

test('2,048 tokens stream into a page of fewer than 5,000 elements, and only the end of the text is laid out anew', {
  skip,
  timeout,
}, async () => {
  const tokens = 2040;
  const { page, changes } = await stream('write', tokens);
  assert.ok((await page.getByLabel('Text', { exact: true }).inputValue()).length > tokens);
  assert.ok(changes.nodes > 0 && changes.nodes < MAX_NODES, `${changes.nodes} elements`);
  assert.ok(changes.longestText > 0 && changes.longestText <= MAX_CHANGED_TEXT, `${changes.longestText} characters`);
  assert.ok(changes.added < tokens / 8, `${changes.added} added nodes`);
  await page.keyboard.press('Alt+t');
  await page.getByRole('option').nth(20).waitFor();
  assert.ok((await page.locator('*').count()) < MAX_NODES);
});

test('with the heat map a token of a long text changes no more of the page than one of a short text', {
  skip,
  timeout,
}, async () => {
  const [short, long] = [300, 1200];
  const first = await stream('tokens', short);
  await first.page.context().close();
  const { changes } = await stream('tokens', long);
  assert.ok(changes.nodes > 0 && changes.nodes < MAX_NODES, `${changes.nodes} elements`);
  assert.ok(changes.longestText <= MAX_CHANGED_TEXT, `${changes.longestText} characters`);
  assert.ok(changes.added < MAX_ADDED_PER_TOKEN * long, `${changes.added} added nodes`);
  const perToken = [first.changes.added / short, changes.added / long];
  assert.ok((perToken[1] ?? 0) < 1.5 * (perToken[0] ?? 0) + 1, `${perToken.join(' and ')} added nodes a token`);
});
