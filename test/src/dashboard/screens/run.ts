import type { PipelineCloud } from '@gptj-cloud/sdk';
import type { Page } from 'playwright-core';
import { failReplies, holdReplies } from '../replies.ts';
import { defineScreens } from '../screen.ts';

const PIPELINE = 'gpt-j:latest';
const openTab = (name: string) => async (page: Page) => page.getByRole('tab', { name, exact: true }).click();

async function seedComplete(api: PipelineCloud): Promise<string> {
  const parameters = { max_new_tokens: 48, seed: 7, temperature: 0.8, stop_strings: ['The end'] };
  const { id } = await api.runPipeline(PIPELINE, ['I met a traveller from an antique land, who said', parameters]);
  return `/runs/${id}`;
}

async function seedChances(api: PipelineCloud): Promise<string> {
  const parameters = {
    max_new_tokens: 48,
    seed: 7,
    return_dict_in_generate: true,
    logprobs: 5,
    num_return_sequences: 2,
  };
  const { id } = await api.runPipeline(PIPELINE, ['Once upon a time', parameters]);
  return `/runs/${id}`;
}

async function seedCancelled(api: PipelineCloud): Promise<string> {
  const parameters = { max_new_tokens: 1500, min_new_tokens: 1500 };
  const { id } = await api.startRun(PIPELINE, ['The king was', parameters]);
  await api.cancelRun(id);
  return `/runs/${id}`;
}

/** The run as it is, with a failure that this server has no reason for. */
async function failed(page: Page): Promise<void> {
  await page.route(/\/v2\/runs\/run_[0-9a-f]{32}$/, async (route) => {
    const reply = await route.fetch();
    const exception = 'generation_timed_out: the run took longer than 300 s, the limit of the plan';
    const lines = Array.from({ length: 200 }, (_, at) => `  File "pipeline.py", line ${at + 1}, in forward`);
    const run: object = await reply.json();
    const info = { exception, traceback: `unsatisfiable: ${exception}\n${lines.join('\n')}` };
    const end = { run_state: 'failed', error: 'unsatisfiable', error_info: info, result: null, result_preview: null };
    await route.fulfill({ json: { ...run, ...end } });
  });
}

defineScreens('run', [
  { state: 'complete', path: '/runs', seed: seedComplete },
  { state: 'parameters', path: '/runs', seed: seedComplete, act: openTab('Parameters') },
  {
    state: 'all-parameters',
    path: '/runs',
    seed: seedComplete,
    widths: [1440],
    async act(page) {
      await openTab('Parameters')(page);
      await page.getByText('All parameters').click();
    },
  },
  {
    state: 'tokens',
    path: '/runs',
    seed: seedChances,
    async act(page) {
      await openTab('Tokens')(page);
      const list = page.getByRole('listbox', { name: 'Tokens' }).first();
      await list.focus();
      for (let at = 0; at < 3; at++) await page.keyboard.press('ArrowRight');
    },
  },
  { state: 'webhooks', path: '/runs', seed: seedComplete, act: openTab('Webhooks'), widths: [1440] },
  { state: 'raw', path: '/runs', seed: seedComplete, act: openTab('Raw'), widths: [1440] },
  { state: 'cancelled', path: '/runs', seed: seedCancelled },
  { state: 'failed', path: '/runs', seed: seedComplete, arrange: failed },
  { state: 'loading', path: '/runs', seed: seedComplete, isLoading: true, arrange: holdReplies('**/v2/runs/run_*') },
  { state: 'error', path: '/runs', seed: seedComplete, arrange: failReplies('**/v2/runs/run_*') },
  { state: 'missing', path: `/runs/run_${'0'.repeat(32)}` },
  {
    state: 'menu',
    path: '/runs',
    seed: seedComplete,
    async act(page) {
      await page.getByRole('button', { name: 'More actions' }).click();
      await page.getByRole('menuitem', { name: 'Delete' }).waitFor();
    },
  },
  {
    state: 'code',
    path: '/runs',
    seed: seedComplete,
    async act(page) {
      await page.getByRole('button', { name: 'More actions' }).click();
      await page.getByRole('menuitem', { name: 'Code' }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
]);
