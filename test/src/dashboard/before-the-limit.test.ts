/** Story 7: a run that the plan refuses, what is offered then, and the plan that an owner grants. */
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { sessionOf } from './accounts.ts';
import { SKIP_WITHOUT_CHROMIUM } from './chromium.ts';
import { type Account, OWNER, useDashboard } from './dashboard.ts';

const skip = SKIP_WITHOUT_CHROMIUM;
const MARY: Account = { email: 'mary@example.com', username: 'mary', password: 'correct horse battery 7A' };
const PROMPT = 'Once upon a time there was a little girl who';
const TOKENS_PER_DAY = 16;
const dashboard = useDashboard({ environment: { PLANS_FILE: plansFile() } });

/** A small plan, and a large one to ask for. */
function plansFile(): string {
  const prices = { monthly: 0, per_1000_prompt_tokens: 0, per_1000_generated_tokens: 0, per_compute_hour: 0 };
  const limits = { requests_per_minute: null, concurrent_runs: null, tokens_per_month: null, max_context: null };
  const plan = (id: string, name: string, tokensPerDay: number | null) => ({
    id,
    name,
    models: ['*'],
    prices,
    ...limits,
    tokens_per_day: tokensPerDay,
  });
  const plans = [plan('free', 'Free', TOKENS_PER_DAY), plan('developer', 'Developer', null)];
  const path = join(mkdtempSync(join(tmpdir(), 'gptj-plans-')), 'plans.json');
  writeFileSync(path, JSON.stringify({ currency: 'USD', default_plan: 'free', plans }));
  return path;
}

test('a refused run offers what fits and the plans; the grant of an owner unlocks the open page', {
  skip,
}, async () => {
  await dashboard().register(MARY);
  const api = await sessionOf(dashboard(), MARY);
  const { tokens } = await api.text.tokenize(PROMPT);
  const fits = TOKENS_PER_DAY - tokens.length;
  const parameters = { max_new_tokens: 12, seed: 7 };
  const shared = deflateRawSync(JSON.stringify([1, [['t', PROMPT]], parameters])).toString('base64url');
  const context = await dashboard().context({ as: MARY });
  const page = await context.newPage();
  await page.goto(`${dashboard().url}/playground#s=${shared}`);
  await page.getByText(/would be exceeded: 16 tokens a day/).waitFor();
  const generate = page.getByRole('button', { name: 'Generate' });
  assert.ok(await generate.isDisabled());
  await page.getByRole('button', { name: `Use ≤ ${fits} tokens` }).waitFor();
  await page.getByRole('link', { name: 'See plans' }).waitFor();

  const plan = await context.newPage();
  await plan.goto(`${dashboard().url}/plan`);
  await plan.getByRole('button', { name: 'Change to Developer' }).click();
  await plan.getByRole('dialog').getByRole('button', { name: 'Change to Developer' }).click();
  await plan.getByText('The change is requested.').waitFor();
  await plan.getByRole('button', { name: 'Close', exact: true }).last().click();
  assert.ok(await generate.isDisabled(), 'a request alone changes nothing');

  const owners = await dashboard().open('/admin/plans', { as: OWNER });
  await owners.getByRole('row').filter({ hasText: MARY.username }).getByRole('button', { name: 'Grant' }).click();
  await owners.getByText('No user waits for another plan.').waitFor();
  await plan.getByText('You are on the plan Developer now.').first().waitFor();

  // The page of the playground was not touched.
  await page.getByText(/would be exceeded: 16 tokens a day/).waitFor({ state: 'detached' });
  await generate.click();
  await page
    .locator('.playground-note')
    .getByText(/^ended by/)
    .waitFor();
  const { total } = await api.usage.get({});
  const { day } = await api.limits.get();
  assert.deepEqual([day.used, day.reserved], [total.computedTokens, 0]);
  const home = await context.newPage();
  await home.goto(dashboard().url);
  await home
    .getByText(new RegExp(`^${day.used} `))
    .first()
    .waitFor();
});

test('the offered length fits to the token, and a used day says until when', { skip }, async () => {
  const anne: Account = { ...MARY, email: 'anne@example.com', username: 'anne' };
  await dashboard().register(anne);
  const api = await sessionOf(dashboard(), anne);
  const parameters = { max_new_tokens: 12, seed: 7 };
  const shared = deflateRawSync(JSON.stringify([1, [['t', PROMPT]], parameters])).toString('base64url');
  const page = await dashboard().open(`/playground#s=${shared}`, { as: anne });
  await page.getByRole('button', { name: /^Use ≤ / }).click();
  const generate = page.getByRole('button', { name: 'Generate' });
  await page.getByText(/^\d+ \+ ≤ \d+ tokens$/).waitFor();
  await generate.click();
  await page
    .locator('.playground-note')
    .getByText(/^ended by/)
    .waitFor();
  const { day } = await api.limits.get();
  assert.ok(day.used <= TOKENS_PER_DAY, `${day.used} tokens are used`);
});
