import type { PipelineCloud } from '@gptj-cloud/sdk';
import type { Page } from 'playwright-core';
import type { Account, Dashboard } from '../dashboard.ts';
import { defineScreens } from '../screen.ts';

const IDLE: Account = { email: 'idle@example.com', username: 'idle', password: 'correct horse battery 7A' };
const TODAY = Date.parse('2026-01-15');

/** Runs of the operator's token, one that fails, and a refused request. */
async function seedUsage(api: PipelineCloud): Promise<undefined> {
  for (const seed of [1, 2, 3])
    await api.runPipeline('gpt-j:latest', ['Once upon a time', { max_new_tokens: 24, seed }]);
  const open = await api.startRun('gpt-j:latest', ['The king', { max_new_tokens: 1500, min_new_tokens: 1500 }]);
  await api.cancelRun(open.id);
  const misspelt: Readonly<Record<string, unknown>> = { temprature: 1 };
  await api.runPipeline('gpt-j:latest', ['a', misspelt]).catch(() => undefined);
}

const dayAt = (back: number): string => new Date(TODAY - back * 86_400_000).toISOString().slice(0, 10);

/** A year of fifty tokens, of which twenty have rows of their own, with sums of a million million. */
async function manyTokens(page: Page): Promise<void> {
  await page.route('**/v2/usage?*', async (route) => {
    const query = new URL(route.request().url()).searchParams;
    const isTotal = query.get('bucket') === null;
    const sums = (tokens: number) => ({
      runs: Math.round(tokens / 500),
      prompt_tokens: Math.round(tokens / 3),
      generated_tokens: Math.round(tokens / 2),
      computed_tokens: tokens,
      cached_tokens: Math.round(tokens / 9),
      compute_ms: Math.round(tokens * 0.7),
    });
    const rows = Array.from({ length: 366 * 21 }, (_, index) => {
      const [back, token] = [Math.floor(index / 21), index % 21];
      const tokens = Math.round((1e12 / 366 / (token + 2)) * (1 + Math.sin(back / 9 + token)));
      const key = token === 20 ? 'other' : `token_${String(token).padStart(32, '0')}`;
      return {
        bucket: dayAt(back),
        key,
        name: `a token with a rather long name, number ${token + 1}`,
        ...sums(tokens),
      };
    });
    const [from, to, by] = [query.get('from'), query.get('to'), query.get('group_by')];
    await route.fulfill({
      json: {
        from,
        to,
        group_by: isTotal ? 'day' : by,
        bucket: query.get('bucket'),
        project_id: null,
        rows: isTotal ? [] : rows,
        total: sums(1e12),
      },
    });
  });
}

async function failing(page: Page): Promise<void> {
  const detail = {
    code: 'store_unavailable',
    message: 'the data store is unavailable: it does not answer',
    remedy: 'wait the seconds in the Retry-After header and send the request again',
    request_id: '5b1f0c7e2a9d4e63',
  };
  await page.route(/\/v2\/(usage|metrics|invoice)/, (route) => route.fulfill({ status: 503, json: { detail } }));
}

const registerIdle = async (_: PipelineCloud, dashboard: Dashboard): Promise<undefined> => {
  await dashboard.register(IDLE);
};
const year = `/usage?range=custom&from=${dayAt(365)}&to=${dayAt(0)}`;

defineScreens('usage', [
  { state: 'empty', path: '/usage', as: IDLE, seed: registerIdle },
  { state: 'month', path: '/usage', seed: seedUsage },
  { state: 'today', path: '/usage?range=today&by=token' },
  { state: 'long', path: `${year}&by=token`, arrange: manyTokens },
  { state: 'too-long', path: '/usage?range=custom&from=2020-01-01&to=2026-01-15' },
  { state: 'error', path: '/usage', arrange: failing },
  {
    state: 'loading',
    path: '/usage',
    arrange: (page) => page.route(/\/v2\/(usage|metrics|invoice)/, () => new Promise(() => undefined)),
    act: (page) => page.locator('[data-late]').first().waitFor(),
    isLoading: true,
  },
]);
