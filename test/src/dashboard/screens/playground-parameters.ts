import type { Page } from 'playwright-core';
import { defineScreens } from '../screen.ts';

const PHONE = 390;

const form = async (page: Page): Promise<void> => {
  if ((page.viewportSize()?.width ?? 0) <= PHONE) await page.getByRole('button', { name: /^Parameters, / }).click();
  await page.getByPlaceholder('Find a parameter').waitFor();
};
const fill = async (page: Page, name: string, value: string): Promise<void> => {
  await page.getByRole('textbox', { name, exact: true }).fill(value);
};
const writeJson = async (page: Page, json: string): Promise<void> => {
  await form(page);
  await page.getByRole('button', { name: 'Show JSON' }).click();
  await page.getByLabel('Parameters as JSON').fill(json);
};

defineScreens('playground-parameters', [
  {
    state: 'form',
    path: '/playground',
    async act(page) {
      await page.locator('.playground-area').fill('I met a traveller from an antique land, who said');
      await form(page);
      await fill(page, 'max_new_tokens', '128');
      await fill(page, 'top_p', '0.95');
      await page.locator('label:has(#parameter-do_sample)').click();
      await page
        .getByText('temperature is ignored: it acts only with do_sample')
        .first()
        .waitFor({ state: 'attached' });
      await page.locator('.playground-check-line > span').first().waitFor({ state: 'attached' });
    },
  },
  {
    state: 'search',
    path: '/playground',
    async act(page) {
      await form(page);
      await page.getByPlaceholder('Find a parameter').pressSequentially('repeat');
      await page.getByRole('textbox', { name: 'no_repeat_ngram_size', exact: true }).waitFor();
    },
  },
  {
    state: 'refused',
    path: '/playground',
    async act(page) {
      await page.locator('.playground-area').fill('Once upon a time');
      await writeJson(page, '{"temprature": 0.7, "max_new_tokens": 64}');
      await page.getByRole('button', { name: 'Use temperature' }).waitFor();
      await page.locator('.playground-check-refused').waitFor({ state: 'attached' });
    },
  },
]);

defineScreens('playground-presets', [
  {
    state: 'menu',
    path: '/playground',
    async act(page) {
      await form(page);
      await page.getByRole('button', { name: 'Presets' }).click();
      await page.getByRole('menuitem', { name: /Save as a preset/ }).waitFor();
    },
  },
]);

const searchOf = async (page: Page): Promise<void> => {
  await page.locator('.playground-area').fill('Once upon a time there was');
  const parameters = { num_beams: 4, num_return_sequences: 3, max_new_tokens: 12, output_beams: true };
  await writeJson(page, JSON.stringify(parameters));
  if ((page.viewportSize()?.width ?? 0) <= PHONE) await page.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('link', { name: 'Beams' }).click();
};

defineScreens('playground-beams', [
  { state: 'empty', path: '/playground', act: searchOf },
  {
    state: 'tree',
    path: '/playground',
    widths: [1440],
    async act(page) {
      await searchOf(page);
      await page.getByRole('button', { name: 'Generate' }).click();
      await page.getByText(/3 returned, \d+ dropped/).waitFor();
      await page.getByRole('tree').focus();
      for (const key of ['ArrowRight', 'ArrowRight', 'ArrowDown']) await page.keyboard.press(key);
    },
  },
]);
