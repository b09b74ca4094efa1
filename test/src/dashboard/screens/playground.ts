import { deflateRawSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { defineScreens, type Screen } from '../screen.ts';
import { SEVERAL_MODELS } from '../several-models.ts';

const PIPELINE = 'pipeline_d7502b78863744c495d7d22f321cf7ff';
const PROMPT = 'Once upon a time there was a little girl who';
const ASKED = { return_dict_in_generate: true, logprobs: 10, processed_logprobs: true, trim_stop: true };
/** Emoji whose bytes are several tokens, text from right to left, and a long word. */
const MIXED = `حكاية قصيرة 🦊👩‍🚀\n${'Donaudampfschifffahrtsgesellschaft'.repeat(4)}\n`;

/** The playground with a run of a fixed seed. */
function withRun(prompt: string, parameters: object): Pick<Screen, 'seed' | 'path'> {
  return {
    path: '/playground',
    async seed(api) {
      const run = await api.runPipeline(PIPELINE, [prompt, { ...ASKED, ...parameters }]);
      return `/playground?run=${run.id}`;
    },
  };
}

function linkOf(text: string, parameters: object): string {
  const shared = deflateRawSync(JSON.stringify([1, [['t', text]], parameters])).toString('base64url');
  return `/playground#s=${shared}`;
}

async function severalModels(page: Page): Promise<void> {
  await page.route(/\/v2\/server$/, async (route) => {
    const server = await (await route.fetch()).json();
    await route.fulfill({ json: { ...server, models: [...server.models, ...SEVERAL_MODELS] } });
  });
}

/** Two columns, the first scored by the second. */
async function scored(page: Page): Promise<void> {
  await page.getByRole('link', { name: 'Compare', exact: true }).click();
  await page.getByRole('button', { name: 'Generate both' }).click();
  await page.getByRole('button', { name: 'Generate both' }).waitFor();
  await page.getByRole('button', { name: 'Score A by B' }).click();
  await page.getByText('under B:').waitFor();
}

/** With what the next run would use and cost. */
async function ended(page: Page): Promise<void> {
  await page.getByText('ended by').first().waitFor();
  await checked(page);
}

async function checked(page: Page): Promise<void> {
  await page.locator('.playground-check-line > span').first().waitFor({ state: 'attached' });
}

async function showTokens(page: Page): Promise<void> {
  await ended(page);
  await page.getByRole('link', { name: 'Tokens', exact: true }).click();
  await page.getByRole('option').nth(6).click();
}

/** What a phone has in a menu is a button elsewhere. */
async function openAction(page: Page, name: string): Promise<void> {
  const menu = page.getByRole('button', { name: 'Actions', exact: true });
  if (await menu.isVisible()) {
    await menu.click();
    await page.getByRole('menuitem', { name }).click();
  } else {
    await page.getByRole('button', { name }).click();
  }
}

defineScreens('playground', [
  { state: 'empty', path: '/playground' },
  {
    state: 'models',
    path: '/playground',
    arrange: severalModels,
    act: async (page) => {
      await page.locator('.ui-select', { hasText: 'gptj-nano' }).click();
      await page.getByRole('option', { name: 'story' }).waitFor();
    },
  },
  { state: 'written', ...withRun(PROMPT, { max_new_tokens: 48, seed: 7 }), act: ended },
  { state: 'tokens', ...withRun(PROMPT, { max_new_tokens: 48, seed: 7, top_k: 8, temperature: 0.8 }), act: showTokens },
  {
    state: 'branches',
    ...withRun(PROMPT, { max_new_tokens: 24, seed: 7, num_return_sequences: 3 }),
    async act(page) {
      await ended(page);
      await openAction(page, 'Branches');
      await page.getByRole('treegrid', { name: 'Branches' }).waitFor();
    },
  },
  {
    state: 'code',
    ...withRun(PROMPT, { max_new_tokens: 24, seed: 7 }),
    async act(page) {
      await ended(page);
      await openAction(page, 'Code');
      await page.getByRole('dialog').getByText('generate').first().waitFor();
    },
  },
  {
    state: 'compare',
    path: linkOf(PROMPT, { max_new_tokens: 32, temperature: 0.7, seed: 7 }),
    act: scored,
  },
  {
    state: 'compare-models',
    path: linkOf(PROMPT, { max_new_tokens: 32, temperature: 0.7, seed: 7, top_p: 0.6 }),
    arrange: severalModels,
    act: scored,
  },
  {
    state: 'column',
    path: linkOf(PROMPT, { max_new_tokens: 32, temperature: 0.7, seed: 7 }),
    async act(page) {
      await page.getByRole('link', { name: 'Compare', exact: true }).click();
      await page.getByRole('button', { name: 'Parameters of A' }).click();
      await page.getByRole('dialog').getByPlaceholder('Find a parameter').waitFor();
    },
  },
  {
    state: 'drafts',
    ...withRun(PROMPT, { max_new_tokens: 24, seed: 7 }),
    async act(page) {
      await ended(page);
      await page.locator('.playground-title').click();
      await page.getByRole('menuitem').first().waitFor();
    },
  },
  {
    state: 'replay',
    ...withRun(PROMPT, { max_new_tokens: 24, seed: 7, deterministic: true }),
    async act(page) {
      await ended(page);
      await page.getByRole('button', { name: 'Replay' }).click();
      await page.getByText(/identical: the same/).waitFor();
    },
  },
  {
    state: 'shared',
    path: linkOf(PROMPT, { max_new_tokens: 32, seed: 7 }),
    async act(page) {
      await checked(page);
      await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
      await openAction(page, 'Copy a link to this text');
      await page.getByText('The link is copied.').first().waitFor();
    },
  },
  { state: 'long', ...withRun(MIXED.repeat(6), { max_new_tokens: 200, seed: 7 }), act: ended },
  { state: 'error', path: '/playground#s=damaged' },
  {
    state: 'full',
    path: linkOf('The king who had three daughters. '.repeat(300), { max_new_tokens: 64 }),
    act: checked,
  },
  { state: 'siblings', ...withRun(PROMPT, { max_new_tokens: 24, seed: 7, num_return_sequences: 3 }), act: ended },
  {
    state: 'seam',
    ...withRun(PROMPT, { max_new_tokens: 24, seed: 7, num_return_sequences: 3, top_k: 6 }),
    async act(page) {
      await ended(page);
      await page.getByRole('button', { name: '/3 continuations: show them' }).click();
      await page.getByRole('region', { name: 'Other tokens' }).waitFor();
    },
  },
]);
