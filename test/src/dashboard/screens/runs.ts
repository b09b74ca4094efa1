import type { PipelineCloud } from '@gptj-cloud/sdk';
import type { Page } from 'playwright-core';
import type { Account, Dashboard } from '../dashboard.ts';
import { defineScreens } from '../screen.ts';

const READER: Account = { email: 'reader@example.com', username: 'reader', password: 'correct horse battery 7A' };
const PIPELINE = 'gpt-j:latest';

/** Runs of every kind, the oldest first. */
async function seedRuns(api: PipelineCloud): Promise<undefined> {
  const run = (prompt: string, parameters: object = {}) =>
    api.runPipeline(PIPELINE, [prompt, { max_new_tokens: 12, seed: 7, ...parameters }]);
  await run('I met a traveller from an antique land, who said', { max_new_tokens: 48 });
  await run('ذات مرة كان هناك 🦊 في الغابة');
  await run(`${'A very long prompt that does not end. '.repeat(40)}`, { num_beams: 3, do_sample: false });
  await run('Count: one two three', { bad_words_ids: [[1]], max_time: 0.000001 });
  const cancelled = await api.startRun(PIPELINE, ['The king was', { max_new_tokens: 1500, min_new_tokens: 1500 }]);
  await api.cancelRun(cancelled.id);
  await run('Once upon a time');
}

/** A reply with an error, as the server writes it. */
async function failure(page: Page, pattern: string): Promise<void> {
  const detail = {
    code: 'store_unavailable',
    message: 'the data store is unavailable: it does not answer',
    remedy: 'wait the seconds in the Retry-After header and send the request again',
    request_id: '5b1f0c7e2a9d4e63',
  };
  await page.route(pattern, (route) => route.fulfill({ status: 503, json: { detail } }));
}

/** A list of 100,000 runs, a page at a time. */
async function manyRuns(page: Page): Promise<void> {
  const newest = Date.parse('2026-01-15T12:09:30Z') / 1000;
  await page.route('**/v2/runs?*', async (route) => {
    const query = new URL(route.request().url()).searchParams;
    const from = Number(query.get('cursor') ?? 0);
    const limit = Number(query.get('limit'));
    const data = Array.from({ length: limit }, (_, index) => summaryAt(from + index, newest));
    await route.fulfill({ json: { skip: 0, limit, total: 100_000, data, next_cursor: String(from + limit) } });
  });
}

function summaryAt(index: number, newest: number): object {
  const at = newest - index * 7;
  const isFailed = index % 9 === 4;
  const isOpen = index < 20;
  return {
    id: `run_${String(index).padStart(32, '0')}`,
    created_at: at,
    started_at: index < 4 ? null : at,
    ended_at: isOpen ? null : at + 1 + (index % 13),
    run_state: index < 4 ? 'received' : isOpen ? 'running' : isFailed ? 'failed' : 'complete',
    pipeline_id: 'pipeline_d7502b78863744c495d7d22f321cf7ff',
    prompt_head: `Prompt ${index + 1}: ${'words that fill the line and go on '.repeat(4)}`.slice(0, 160),
    output_head: isOpen || isFailed ? null : ' and what the model made of it, with an emoji 🦊 and more words',
    token_id: index % 3 === 0 ? null : 'token_00000000000000000000000000000000',
    token_name: index % 3 === 0 ? null : 'a-name-of-a-token-that-is-longer-than-its-column',
    error: isFailed && !isOpen ? 'unsatisfiable' : null,
    exception:
      isFailed && !isOpen ? 'generation_timed_out: the run took longer than 300 s, the limit of the plan' : null,
    usage: isOpen ? null : { prompt_tokens: 812, generated_tokens: 1_024, computed_tokens: 1_836, cached_tokens: 0 },
    timings: { queued_ms: 3, first_token_ms: 120, compute_ms: isOpen ? null : 1_400 },
    cost: isOpen ? null : { amount: '0.0123', currency: 'USD' },
    seed: 7,
    attempts: 1,
    async_run: true,
  };
}

const registerReader = async (_: PipelineCloud, dashboard: Dashboard): Promise<undefined> => {
  await dashboard.register(READER);
};

defineScreens('runs', [
  { state: 'empty', path: '/runs', as: READER, seed: registerReader },
  { state: 'list', path: '/runs', seed: seedRuns },
  { state: 'longest-first', path: '/runs?order=slowest', seed: seedRuns },
  { state: 'oldest-first', path: '/runs?order=oldest', seed: seedRuns },
  { state: 'no-match', path: '/runs?q=nothing%20has%20this%20text' },
  {
    state: 'loading',
    path: '/runs',
    arrange: (page) => page.route('**/v2/runs?*', () => new Promise(() => undefined)),
    act: (page) => page.locator('[data-late]').first().waitFor(),
    isLoading: true,
  },
  { state: 'error', path: '/runs', arrange: (page) => failure(page, '**/v2/runs?*') },
  { state: 'long', path: '/runs', arrange: manyRuns },
  {
    state: 'filter',
    path: '/runs',
    seed: seedRuns,
    async act(page) {
      await page.getByRole('button', { name: 'All states' }).click();
      await page.getByRole('option', { name: 'Failed' }).waitFor();
    },
  },
  {
    state: 'export',
    path: '/runs',
    seed: seedRuns,
    async act(page) {
      await page.getByRole('button', { name: 'Export' }).click();
      await page.getByRole('menuitem').first().waitFor();
    },
  },
  {
    state: 'selected',
    path: '/runs',
    arrange: manyRuns,
    widths: [1440],
    async act(page) {
      await page.getByRole('row').nth(2).locator('label').click();
      await page.getByRole('button', { name: 'Delete' }).click();
      await page.getByRole('alertdialog').waitFor();
    },
  },
]);
