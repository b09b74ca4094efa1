/** Usage of 40 days, two projects and three tokens in each: every view of it adds up to the same. */
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { PipelineCloud } from '@gptj-cloud/sdk';
import type { Page } from 'playwright-core';
import { sessionOf } from './accounts.ts';
import { sidewaysOverflow } from './audit.ts';
import { SKIP_WITHOUT_CHROMIUM } from './chromium.ts';
import { type Account, useDashboard } from './dashboard.ts';

const skip = SKIP_WITHOUT_CHROMIUM;
const DAYS = 40;
const LAST = Date.parse('2026-02-09T10:30:00Z');
const DAY_MS = 86_400_000;
const PAYER: Account = { email: 'payer@example.com', username: 'payer', password: 'correct horse battery 7A' };
const MEMBER: Account = { email: 'member@example.com', username: 'member', password: 'correct horse battery 7A' };
const from = new Date(LAST - (DAYS - 1) * DAY_MS).toISOString().slice(0, 10);
const to = new Date(LAST).toISOString().slice(0, 10);
let now = new Date(LAST - (DAYS - 1) * DAY_MS);
const dashboard = useDashboard({ clock: () => now, environment: { PLANS_FILE: plansFile() } });

/** One plan without limits, with prices. */
function plansFile(): string {
  const limits = { requests_per_minute: null, concurrent_runs: null, tokens_per_day: null, tokens_per_month: null };
  const prices = { monthly: 9, per_1000_prompt_tokens: 1, per_1000_generated_tokens: 2, per_compute_hour: 0 };
  const plan = { id: 'metered', name: 'Metered', ...limits, max_context: null, models: ['*'], prices };
  const path = join(mkdtempSync(join(tmpdir(), 'gptj-plans-')), 'plans.json');
  writeFileSync(path, JSON.stringify({ currency: 'USD', default_plan: 'metered', plans: [plan] }));
  return path;
}

let projects: readonly { readonly id: string; readonly name: string }[] = [];
let seeding: Promise<void> | undefined;
/** Seed once; every test waits for it. */
function seeded(): Promise<void> {
  seeding ??= seed();
  return seeding;
}

async function seed(): Promise<void> {
  await dashboard().register(PAYER);
  await dashboard().register(MEMBER);
  const payer = await sessionOf(dashboard(), PAYER);
  await payer.projects.create('second');
  projects = (await payer.projects.list({ order: 'oldest' })).items;
  assert.equal(projects.length, 2);
  const clients: PipelineCloud[] = [];
  for (const { id } of projects) {
    const api = payer.withProject(id);
    for (const name of ['ci', 'batch', 'notebook']) {
      const { value: token } = await api.tokens.create({ name, scopes: ['run'] });
      clients.push(new PipelineCloud({ token, url: dashboard().url }));
    }
  }
  for (let day = 0; day < DAYS; day++) {
    now = new Date(LAST - (DAYS - 1 - day) * DAY_MS);
    for (const [index, client] of clients.entries()) {
      await client.runPipeline('gpt-j:latest', ['Once', { max_new_tokens: 1 + ((day + index) % 3) }]);
    }
  }
  // The session of the first day has ended.
  const later = await sessionOf(dashboard(), PAYER);
  await later.projects.invite(projects[1]?.id ?? '', { username: MEMBER.username });
  const member = await sessionOf(dashboard(), MEMBER);
  const [invitation] = await member.invitations.list();
  await member.invitations.accept(invitation?.id ?? '');
}

const numberOf = (text: string): number => Number(text.replaceAll(/[^\d.]/g, ''));

/** Sums of the columns of a table: the rows of its body, figures only. */
async function sumsOf(page: Page, label: string): Promise<readonly number[]> {
  const table = page.getByRole('grid', { name: label });
  await table.waitFor();
  const rows = await table.evaluate((grid) =>
    [...grid.querySelectorAll('[role=row]')]
      .map((row) => [...row.querySelectorAll('[role=gridcell]')].map((cell) => cell.textContent))
      .filter((cells) => cells.length > 0),
  );
  // Runs, prompt, generated, cached, computed; the time is no plain number.
  return [0, 1, 2, 3, 4].map((column) => rows.reduce((sum, cells) => sum + numberOf(cells[column] ?? '0'), 0));
}

const address = (by: string, first = from, last = to): string =>
  `/usage?range=custom&from=${first}&to=${last}&by=${by}&project=${projects[0]?.id}`;

test('the table of days, of tokens and of hours, the CSV and the API have the same sums', { skip }, async () => {
  await seeded();
  const payer = (await sessionOf(dashboard(), PAYER)).withProject(projects[0]?.id ?? '');
  const { total } = await payer.usage.get({ from, to });
  const expected = [total.runs, total.promptTokens, total.generatedTokens, total.cachedTokens, total.computedTokens];
  assert.equal(total.runs, DAYS * 3);
  const page = await dashboard().open(address('total'), { as: PAYER });
  await page.clock.setFixedTime(now);
  await page.reload();
  assert.deepEqual(await sumsOf(page, 'Usage per day'), expected);
  await page.goto(new URL(address('token'), dashboard().url).href);
  assert.deepEqual(await sumsOf(page, 'Usage by token'), expected);
  for (const name of ['ci', 'batch', 'notebook']) await page.getByRole('rowheader', { name }).waitFor();

  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: 'CSV' }).click();
  const lines = await (await downloading).createReadStream();
  let csv = '';
  for await (const chunk of lines) csv += String(chunk);
  const [head = '', ...rows] = csv.trim().split('\r\n');
  const at = head.split(',').indexOf('computed_tokens');
  assert.equal(
    rows.reduce((sum, row) => sum + Number(row.split(',')[at]), 0),
    total.computedTokens,
  );

  const day = await payer.usage.get({ from: to, to });
  await page.goto(new URL(address('total', to, to), dashboard().url).href);
  const hours = await sumsOf(page, 'Usage per hour');
  assert.deepEqual([hours[0], hours[4]], [day.total.runs, day.total.computedTokens]);
});

test('projects add up to the invoice, in one request for a reader of the screen as well', { skip }, async () => {
  await seeded();
  const month = to.slice(0, 7);
  const payer = await sessionOf(dashboard(), PAYER);
  const invoice = await payer.usage.previewInvoice({ month });
  const page = await dashboard().open('/login', { as: PAYER });
  await page.clock.setFixedTime(now);
  await page.goto(new URL(address('project', `${month}-01`, to), dashboard().url).href);
  const sums = await sumsOf(page, 'Usage by project');
  const [runs = 0, prompt = 0, , , computed = 0] = sums;
  const quantities = invoice.lines.filter(({ unit }) => unit === 'token').map(({ quantity }) => quantity);
  assert.deepEqual(quantities, [prompt, computed - prompt]);
  assert.equal(runs, 9 * 6);
  await page.getByText(`$${invoice.total}`).first().waitFor();
  // The chart has its numbers in its name.
  const chart = page.getByRole('group', { name: /^Computed tokens per day, 1 Feb to 9 Feb\./ });
  assert.match((await chart.getAttribute('aria-label')) ?? '', /second: most at/);
  // Its marks are the numbers of its table.
  await page.getByRole('button', { name: 'As table' }).first().click();
  const marks = await page.locator('.ui-chart-table').first().locator('tbody td').allTextContents();
  assert.equal(
    marks.reduce((sum, text) => sum + numberOf(text), 0),
    computed,
  );
});

test('a member sees the shared project alone, and nothing overflows on a phone', { skip }, async () => {
  await seeded();
  const page = await dashboard().open('/login', { as: MEMBER, width: 390 });
  await page.clock.setFixedTime(now);
  await page.goto(
    new URL(address('token').replace(/&project=.*/, `&project=${projects[1]?.id}`), dashboard().url).href,
  );
  await page.getByText('notebook').first().waitFor();
  assert.deepEqual(await sidewaysOverflow(page), []);
  const member = await sessionOf(dashboard(), MEMBER);
  await assert.rejects(member.withProject(projects[0]?.id ?? '').usage.get({ from, to }), /not found|no project/i);
});

test('more than 366 days are refused with the nearest range that is allowed', { skip }, async () => {
  await seeded();
  const page = await dashboard().open(address('total', '2020-01-01'), { as: PAYER });
  await page.getByRole('button', { name: `Show the 366 days up to ${to}` }).click();
  await page.waitForURL(/from=2025-02-09/);
  assert.equal((await sumsOf(page, 'Usage per day'))[0], DAYS * 3);
});
