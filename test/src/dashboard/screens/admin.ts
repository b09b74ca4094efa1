/** The pages for owners of the server. */
import type { Page } from 'playwright-core';
import type { Account, Dashboard } from '../dashboard.ts';
import { failReplies, holdReplies, manyEntries } from '../replies.ts';
import { defineScreens } from '../screen.ts';

/** 2026-01-15 12:00 UTC, as the clock of the pictures. */
const NOW = 1_768_478_400;
const password = 'correct horse battery 7A';
/** Waiting and errors are the same parts on every page: one width for each. */
const WIDE = [1440];
const PHONE = [390];
const member: Account = { email: 'not-an-owner@example.com', username: 'not-an-owner', password };

async function registerOnce(dashboard: Dashboard, username: string, email = `${username}@example.com`): Promise<void> {
  await dashboard.register({ email, username, password });
}

/** An overview of a busy server with everything on. */
async function busyOverview(page: Page): Promise<void> {
  await page.route('**/v2/admin/overview', async (route) => {
    const reply: { readonly engine: object } = await (await route.fetch()).json();
    const samples = Array.from({ length: 60 }, (_, i) => ({
      at: NOW + i * 5,
      tokens_per_second: 400,
      busy: 0.55 + 0.25 * Math.sin(i / 7),
      active: 8,
      waiting: 3,
    }));
    await route.fulfill({
      json: {
        ...reply,
        users: { total: 41, owners: 2, disabled: 1, active_today: 12 },
        plan_requests: 3,
        runs: { received: 3, running: 8, oldest_waiting_ms: 4100 },
        webhooks: { waiting: 17, sending: 2, open_breakers: 1 },
        engine: {
          ...reply.engine,
          cells: { total: 8192, used: 5120 },
          active: 8,
          waiting: 3,
          oldest_waiting_ms: 4100,
          tokens_per_second: 412,
          history: { interval_seconds: 5, samples },
        },
        store: { kind: 'embedded', bytes: 312_000_000 },
        disk: { free_bytes: 21_400_000_000, total_bytes: 128_000_000_000 },
        maintenance: {
          is_on: true,
          message: 'New disks until noon. Runs that were accepted before are executed.',
          retry_after_seconds: 1800,
          since: NOW + 300,
        },
      },
    });
  });
}

const queued = (index: number, fields: object) => ({
  id: `run_${(index * 7_654_321).toString(16).padStart(32, '4')}`,
  state: 'received',
  project: { id: `project_${index}`, name: 'default' },
  user: { id: `user_${index}`, username: 'percy' },
  pipeline_id: 'pipeline_d7502b78863744c495d7d22f321cf7ff',
  reserved_tokens: 2048,
  priority: 0,
  attempts: 0,
  async_run: true,
  created_at: NOW - 4,
  started_at: null,
  waited_ms: 3900 - index * 400,
  cancel_requested: false,
  ...fields,
});

const busyQueue = (page: Page) =>
  page.route('**/v2/admin/runs?*', (route) =>
    route.fulfill({
      json: {
        skip: 0,
        limit: 50,
        total: 5,
        data: [
          queued(1, { state: 'running', waited_ms: 12, priority: 10, reserved_tokens: null }),
          queued(2, { state: 'running', waited_ms: 310, cancel_requested: true }),
          queued(3, {
            project: {
              id: 'project_3',
              name: 'The collected poems of a very long name that goes on and on, volume II',
            },
            user: { id: 'user_3', username: 'mary-wollstonecraft-shel' },
          }),
          queued(4, {}),
          queued(5, { reserved_tokens: 16 }),
        ],
      },
    }),
  );

const openMenuOf = async (page: Page, name: string, entry: string): Promise<void> => {
  // Its menu is loaded after the page.
  await page.locator(`[aria-haspopup][aria-label="Actions of ${name}"]`).click();
  await page.getByRole('menuitem', { name: entry }).click();
  await page.getByRole('dialog').or(page.getByRole('alertdialog')).waitFor();
};

defineScreens('admin', [
  { state: 'overview', path: '/admin' },
  { state: 'busy', path: '/admin', arrange: busyOverview },
  { state: 'loading', path: '/admin', isLoading: true, arrange: holdReplies('**/v2/admin/overview') },
  { state: 'error', path: '/admin', arrange: failReplies('**/v2/admin/overview') },
  {
    state: 'maintenance',
    path: '/admin',
    async act(page) {
      await page.getByRole('button', { name: 'Refuse new runs' }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
  {
    state: 'member',
    path: '/admin',
    as: member,
    async seed(_, dashboard) {
      await dashboard.register(member);
      return undefined;
    },
  },
]);

defineScreens('admin-users', [
  {
    state: 'list',
    path: '/admin/users',
    async seed(_, dashboard) {
      await registerOnce(
        dashboard,
        'a-name-of-24-characters-',
        `${'a'.repeat(60)}@${'very-long-domain.'.repeat(3)}example.com`,
      );
      await registerOnce(dashboard, 'claire');
      await registerOnce(dashboard, 'george');
      return undefined;
    },
  },
  {
    state: 'many',
    path: '/admin/users',
    arrange: manyEntries('**/v2/users?*', 10_000, (user) =>
      Array.from({ length: 50 }, (_, at) => ({
        ...user,
        id: `user_${String(at).padStart(32, '0')}`,
        username: at % 9 === 4 ? 'a-name-of-24-characters-' : `poet-${at}`,
        email: `${'x'.repeat(at % 9 === 4 ? 60 : 6)}@example.com`,
        plan_id: at % 3 === 0 ? 'developer' : 'free',
        runs_30_days: at * 12_345,
        disabled: at % 11 === 5,
        role: 'member',
      })),
    ),
    act: (page) => page.getByText('1–50 of 10,000').waitFor(),
  },
  { state: 'none', path: '/admin/users?q=without-a-match' },
  { state: 'loading', path: '/admin/users', isLoading: true, arrange: holdReplies('**/v2/users?*'), widths: WIDE },
  { state: 'error', path: '/admin/users', arrange: failReplies('**/v2/users?*'), widths: PHONE },
  { state: 'plan', path: '/admin/users', act: (page) => openMenuOf(page, 'george', 'Change the plan') },
  { state: 'delete', path: '/admin/users', act: (page) => openMenuOf(page, 'george', 'Delete') },
]);

defineScreens('admin-queue', [
  { state: 'empty', path: '/admin/queue' },
  { state: 'busy', path: '/admin/queue', arrange: busyQueue },
  {
    state: 'loading',
    path: '/admin/queue',
    isLoading: true,
    arrange: holdReplies('**/v2/admin/runs?*'),
    widths: PHONE,
  },
  {
    state: 'cancel',
    path: '/admin/queue',
    arrange: busyQueue,
    async act(page) {
      await page.getByRole('button', { name: 'Cancel' }).first().click();
      await page.getByRole('alertdialog').waitFor();
    },
  },
  { state: 'error', path: '/admin/queue', arrange: failReplies('**/v2/admin/runs?*'), widths: WIDE },
]);

defineScreens('admin-plans', [
  { state: 'none', path: '/admin/plans' },
  { state: 'loading', path: '/admin/plans', isLoading: true, arrange: holdReplies('**/v2/plans'), widths: WIDE },
  { state: 'error', path: '/admin/plans', arrange: failReplies('**/v2/plans'), widths: PHONE },
  {
    state: 'requests',
    path: '/admin/plans',
    arrange: (page) =>
      page.route('**/v2/plans', async (route) => {
        const reply: object = await (await route.fetch()).json();
        const requests = ['0', '1', '2'].map((digit, index) => ({
          user_id: `user_${digit.repeat(32)}`,
          plan_id: 'developer',
          requested_at: NOW - index * 3600,
        }));
        await route.fulfill({ json: { ...reply, requests } });
      }),
  },
]);

defineScreens('admin-audit', [
  { state: 'list', path: '/admin/audit' },
  { state: 'none', path: '/admin/audit?action=server.backup' },
  { state: 'loading', path: '/admin/audit', isLoading: true, arrange: holdReplies('**/v2/audit-log?*'), widths: PHONE },
  { state: 'error', path: '/admin/audit', arrange: failReplies('**/v2/audit-log?*'), widths: WIDE },
  {
    state: 'entry',
    path: '/admin/audit',
    async act(page) {
      await page.getByRole('rowheader').first().click();
      await page.getByRole('dialog').waitFor();
    },
    widths: [1440],
  },
]);

defineScreens('admin-server', [
  { state: 'settings', path: '/admin/server' },
  {
    state: 'loading',
    path: '/admin/server',
    isLoading: true,
    arrange: holdReplies('**/v2/admin/overview'),
    widths: WIDE,
  },
  { state: 'error', path: '/admin/server', arrange: failReplies('**/v2/admin/overview'), widths: PHONE },
]);

const SOURCE = { kind: 'hub', from: 'EleutherAI/gpt-j-6b', revision: 'float16', commit: 'c'.repeat(40) };
const PULL = {
  id: `pull_${'1'.repeat(32)}`,
  from: 'gpt-j-6b',
  name: null,
  type: null,
  state: 'running',
  phase: 'downloading',
  done_bytes: 7.4e9,
  total_bytes: 12.1e9,
  bytes_per_second: 48e6,
  seconds_left: 98,
  source: SOURCE,
  plan: {
    type: 'q8_0',
    reason: 'next to no loss, and it takes 8.2 GB of memory with one full context, 12.0 GB free of 16.0 GB',
    file_bytes: 6.44e9,
  },
  waiting: null,
  warnings: [],
  error: null,
  model: null,
  started_at: NOW - 154,
  ended_at: null,
};

const SERVED = [
  { name: 'gpt-j-6b', model: null, from: 'settings', state: 'loaded', reason: null },
  { name: 'pygmalion', model: 'pygmalion-6b.q4_0', from: 'store', state: 'unloaded', reason: null },
  {
    name: 'chat',
    model: 'dolly-v1-6b.q8_0',
    from: 'store',
    state: 'failed',
    reason: 'expected 8.2 GB of free memory, got 5.1 GB',
  },
].map((model) => ({
  ...model,
  pipeline_id: null,
  tags: [],
  adapters: [],
  planned_bytes: null,
  running: null,
  waiting: null,
  created_at: null,
}));

/** A data folder with two models, and one pull. */
function storedModels(pull: object): (page: Page) => Promise<void> {
  const model = (name: string, type: string, size: number, served: boolean) => ({
    name,
    type,
    size_bytes: size,
    checksum: '319b73584bcdd552fec914980a406cc2ee4f84affaf34bd8ed87fbe14bbba28e',
    source: SOURCE,
    stored_at: '2026-01-14T09:00:00Z',
    is_served: served,
  });
  const data = [model('gpt-j-6b', 'q4_0', 3.46e9, true), model('pygmalion-6b', 'q8_0', 6.44e9, false)];
  return async (page) => {
    await page.route('**/v2/admin/models', (route) =>
      route.fulfill({ json: { data, disk: { free_bytes: 58e9, total_bytes: 250e9 } } }),
    );
    await page.route('**/v2/admin/models/served', (route) => route.fulfill({ json: { data: SERVED } }));
    await page.route('**/v2/admin/models/pulls', (route) => route.fulfill({ json: { data: [pull] } }));
    // The connection stays open: the state is the one of the list.
    await page.route('**/v2/admin/models/pulls/*/events', () => {});
  };
}

const REFUSAL =
  'EleutherAI/gpt-j-6b: expected 18.6 GB free (12.1 GB to download and 6.4 GB for the q8_0 file), got 4.2 GB; free space, or set DATA_DIR to another disk';

defineScreens('admin-models', [
  { state: 'pulling', path: '/admin/models', arrange: storedModels(PULL) },
  {
    state: 'failed',
    path: '/admin/models',
    arrange: storedModels({ ...PULL, state: 'failed', error: { code: 'disk_full', message: REFUSAL }, ended_at: NOW }),
  },
  {
    state: 'lost',
    path: '/admin/models',
    async arrange(page) {
      await storedModels(PULL)(page);
      // An answer that the client does not ask for again.
      await page.route('**/v2/admin/models/pulls/*/events', (route) => route.fulfill({ status: 404, json: {} }));
    },
    act: (page) => page.getByRole('button', { name: 'Follow it again' }).waitFor(),
    widths: WIDE,
  },
  {
    state: 'stop',
    path: '/admin/models',
    arrange: storedModels(PULL),
    async act(page) {
      await page.getByRole('button', { name: 'Stop serving' }).first().click();
      await page.getByRole('alertdialog', { name: 'Stop serving pygmalion' }).waitFor();
    },
  },
  {
    state: 'delete',
    path: '/admin/models',
    arrange: storedModels(PULL),
    async act(page) {
      await page.getByRole('button', { name: 'Delete' }).click();
      await page.getByRole('alertdialog', { name: 'Delete pygmalion-6b.q8_0' }).waitFor();
    },
  },
  {
    state: 'types',
    path: '/admin/models',
    arrange: storedModels({ ...PULL, state: 'cancelled', ended_at: NOW }),
    async act(page) {
      await page.getByRole('button', { name: /^the best that fits/ }).click();
      await page.getByRole('option').first().waitFor();
    },
  },
  { state: 'none', path: '/admin/models', widths: WIDE },
  {
    state: 'loading',
    path: '/admin/models',
    isLoading: true,
    arrange: holdReplies('**/v2/admin/models'),
    widths: WIDE,
  },
  { state: 'error', path: '/admin/models', arrange: failReplies('**/v2/admin/models'), widths: PHONE },
]);
