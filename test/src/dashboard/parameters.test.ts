// Story 5: any parameter can be found, is explained, and is checked before a request.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeParameters } from '@gptj-cloud/decoding';
import type { Page } from 'playwright-core';
import { SKIP_WITHOUT_CHROMIUM } from './chromium.ts';
import { OWNER, useDashboard } from './dashboard.ts';

const dashboard = useDashboard();
const options = { skip: SKIP_WITHOUT_CHROMIUM };

async function openForm(): Promise<Page> {
  const page = await dashboard().open('/playground', { as: OWNER });
  await page.getByPlaceholder('Find a parameter').waitFor();
  return page;
}

const rowNames = (page: Page): Promise<readonly string[]> => page.locator('.playground-param-name').allTextContents();

test('a search finds parameters by meaning, and every known name has a row in its version', options, async () => {
  const page = await openForm();
  const search = page.getByPlaceholder('Find a parameter');
  await search.fill('repeat');
  await page.getByText('no_repeat_ngram_size', { exact: true }).waitFor();
  const found = await rowNames(page);
  for (const name of ['repetition_penalty', 'encoder_repetition_penalty', 'encoder_no_repeat_ngram_size']) {
    assert.ok(found.includes(name), name);
  }
  for (const version of ['5.18', '4.25'] as const) {
    await search.fill('');
    if (version === '4.25') {
      await page.getByRole('button', { name: /Behaves like/ }).click();
      await page.getByRole('option', { name: /4\.25/ }).click();
    }
    await page.getByRole('button', { name: /^Sampling/ }).waitFor();
    const closed = page.locator('.playground-params-trigger[aria-expanded=false]');
    while ((await closed.count()) > 0) await closed.first().click();
    const rows = new Set(await rowNames(page));
    for (const { name } of describeParameters(version)) {
      // The version and the nested object have controls of their own.
      if (name === 'compat' || name === 'generation_config') continue;
      assert.ok(rows.has(name), `${name} of ${version}`);
    }
  }
});

test(
  'a setting without effect is explained before anything is sent, and the mode names its reason',
  options,
  async () => {
    const page = await openForm();
    await page.locator('.playground-area').fill('Once upon a time');
    await page.getByText('sample', { exact: true }).waitFor();
    await page.getByRole('textbox', { name: 'top_p', exact: true }).fill('0.9');
    await page.locator('label:has(#parameter-do_sample)').click();
    await page.getByText('top_p is ignored: it acts only with do_sample').waitFor();
    await page.getByText('greedy', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Show do_sample' }).click();
    await page.waitForFunction(() =>
      document.activeElement?.closest('.playground-param')?.textContent?.includes('do_sample'),
    );
    assert.equal((await dashboard().api.listRuns()).total, 0);
  },
);

test('a mistyped name is refused with the known one, which a button takes over', options, async () => {
  const page = await openForm();
  await page.locator('.playground-area').fill('Once upon a time');
  await page.getByRole('button', { name: 'Show JSON' }).click();
  await page.getByLabel('Parameters as JSON').fill('{"temprature": 0.7, "max_new_tokens": 4}');
  await page
    .getByText(/did you mean temperature\?/)
    .first()
    .waitFor();
  await page.getByRole('button', { name: 'Generate' }).and(page.locator('[disabled], [data-disabled]')).waitFor();
  await page.getByRole('button', { name: 'Use temperature' }).click();
  await page.getByText('4 + ≤ 4 tokens').waitFor();
  await page.getByRole('button', { name: 'Generate' }).click();
  await page
    .getByText(/ended by length/)
    .first()
    .waitFor();
  const [run] = (await dashboard().api.listRuns()).items;
  const { parameters } = await dashboard().api.runs.input(run?.id ?? '');
  assert.deepEqual([parameters.temperature, parameters.max_new_tokens], [0.7, 4]);
});

test('a preset keeps the parameters for the project', options, async () => {
  const page = await openForm();
  await page.getByRole('textbox', { name: 'top_k', exact: true }).fill('7');
  await page.getByRole('button', { name: 'Presets' }).click();
  await page.getByRole('menuitem', { name: /Save as a preset/ }).click();
  await page.getByLabel('Name', { exact: true }).fill('narrow');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Use the default of top_k' }).first().click();
  await page.getByRole('button', { name: 'Presets' }).click();
  await page.getByRole('menuitem', { name: 'narrow', exact: true }).click();
  assert.equal(await page.getByRole('textbox', { name: 'top_k', exact: true }).inputValue(), '7');
  const [preset] = (await dashboard().api.presets.list()).items;
  assert.equal(preset?.parameters.top_k, 7);
});

test('a beam search is shown while it goes on, and the text goes on from a chosen token', options, async () => {
  const page = await openForm();
  await page.locator('.playground-area').fill('Once upon a time');
  await page.getByRole('button', { name: 'Show JSON' }).click();
  const parameters = { num_beams: 3, num_return_sequences: 2, max_new_tokens: 6, output_beams: true };
  await page.getByLabel('Parameters as JSON').fill(JSON.stringify(parameters));
  await page.getByRole('link', { name: 'Beams' }).click();
  await page.getByRole('button', { name: 'Generate' }).click();
  await page.getByText(/2 returned, \d+ dropped/).waitFor();
  const tree = page.getByRole('tree');
  await tree.focus();
  for (const key of ['ArrowRight', 'ArrowRight', 'ArrowRight']) await page.keyboard.press(key);
  await page.locator('[role=treeitem][aria-selected=true][aria-level="3"]').waitFor();
  const [first] = (await dashboard().api.listRuns()).items;
  await page.keyboard.press('Enter');
  await page.getByText(/searching, step/).waitFor();
  await page.getByText(/2 returned, \d+ dropped/).waitFor();
  const [second] = (await dashboard().api.listRuns()).items;
  assert.notEqual(second?.id, first?.id);
  const before = await dashboard().api.runs.input(first?.id ?? '');
  const after = await dashboard().api.runs.input(second?.id ?? '');
  // The chosen tokens are exact: the prompt of the second run is ids.
  assert.ok(typeof before.prompt === 'string' && Array.isArray(after.prompt));
  const { text } = await dashboard().api.text.detokenize(after.prompt);
  assert.ok(text.startsWith(before.prompt) && after.prompt.length >= 4 + 3, text);
});
