import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  ApiError,
  formatUsageCursor,
  invoicePreviewSchema,
  planListSchema,
  type UsageGet,
  usageCursorSchema,
  usageGetSchema,
} from '@gptj-cloud/protocol';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { apiKeys, users } from '../../identity/identity-tables.ts';
import type { Principal } from '../../identity/principal.ts';
import { DEFAULT_PROJECT_ID, FIRST_USER_ID } from '../../identity/users/first-user.ts';
import { returnedRows } from '../../store/returned-rows.ts';
import { refusalOf } from '../../testing/admissions.ts';
import { bookOf, planOf } from '../../testing/plans.ts';
import { openTestApp, type TestApp } from '../../testing/test-app.ts';
import { createStorageLimits } from '../storage/storage-limits.ts';
import { openCountedAdmission } from './counted-admission.ts';
import { createUsageService, type UsageService } from './usage-service.ts';

const MEMBER = 'user_22222222222222222222222222222222';
const PROJECT = 'project_22222222222222222222222222222222';
const TODAY = '2026-01-31T12:00:00.000Z';

const member: Principal = {
  userId: MEMBER,
  projectId: PROJECT,
  apiKeyId: 'token_member',
  role: 'member',
  planId: 'paid',
  scopes: ['run', 'read', 'write', 'admin'],
};
const owner: Principal = {
  userId: FIRST_USER_ID,
  projectId: DEFAULT_PROJECT_ID,
  apiKeyId: 'token_evil',
  role: 'owner',
  planId: 'owner',
  scopes: ['run', 'read', 'write', 'admin'],
};
const prices = { monthly: 10, perThousandPromptTokens: 1, perThousandGeneratedTokens: 2, perComputeHour: 0 };
const plans = bookOf(planOf('free'), planOf('paid', { name: 'Paid', prices, tokensPerDay: 1e6 }), planOf('owner'));

let it: TestApp;
let usage: UsageService;
before(async () => {
  it = await openTestApp();
  const { db } = it.store;
  const at = new Date(TODAY);
  const row = { email: 'm@example.org', username: 'member', role: 'member' as const, planId: 'paid' };
  await db.insert(users).values({ id: MEMBER, ...row, createdAt: at, updatedAt: at });
  await db.insert(apiKeys).values({
    id: 'token_evil',
    name: '=HYPERLINK("http://evil")',
    hash: 'h',
    source: 'generated',
    userId: FIRST_USER_ID,
    projectId: DEFAULT_PROJECT_ID,
    scopes: 'run',
    hint: '',
    createdAt: at,
    updatedAt: at,
  });
  let now = at;
  const admission = await openCountedAdmission({
    db,
    plans,
    servedModel: 'gptj-nano',
    clock: () => now,
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    sweepEveryMs: null,
  });
  const run = async (who: Principal, day: string, model: string, promptTokens: number): Promise<void> => {
    now = new Date(`${day}T12:00:00Z`);
    const one = await admission.admit(who, { model, computedTokens: promptTokens + 100, contextTokens: 200 });
    await one.settle({
      promptTokens,
      generatedTokens: 10,
      computedTokens: promptTokens + 40,
      cachedTokens: 5,
      computeMs: 100,
    });
  };
  await run(owner, '2025-12-31', 'p1', 1);
  await run(owner, '2026-01-01', 'p1', 10);
  await run(owner, '2026-01-01', 'p2', 100);
  await run(member, '2026-01-30', 'p1', 1000);
  await run(member, '2026-01-31', 'p1', 1000);
  await run({ ...member, apiKeyId: null }, '2026-01-31', 'p1', 500);
  await admission.close();
  usage = createUsageService({ db, plans, storage: createStorageLimits(plans), clock: () => new Date(TODAY) });
});
after(() => it.close());

const list = (who: Principal, query: Partial<Parameters<UsageService['list']>[1]>) =>
  usage.list(who, {
    from: undefined,
    to: undefined,
    projectId: undefined,
    groupBy: undefined,
    bucket: undefined,
    top: 20,
    limit: undefined,
    cursor: undefined,
    ...query,
  });
const keys = ({ rows }: UsageGet) => rows.map((row) => [row.key, row.runs, row.prompt_tokens]);

test('lists usage by day, token, pipeline and project, by default of this month', async () => {
  const days = await list(owner, {});
  assert.deepEqual([days.from, days.to, days.project_id], ['2026-01-01', '2026-01-31', null]);
  assert.deepEqual(keys(days), [
    ['2026-01-01', 2, 110],
    ['2026-01-30', 1, 1000],
    ['2026-01-31', 2, 1500],
  ]);
  assert.deepEqual(days.total, {
    runs: 5,
    prompt_tokens: 2610,
    generated_tokens: 50,
    computed_tokens: 2810,
    cached_tokens: 25,
    compute_ms: 500,
  });
  const tokens = await list(owner, { groupBy: 'token' });
  assert.deepEqual(keys(tokens), [
    ['', 1, 500],
    ['token_evil', 2, 110],
    ['token_member', 2, 2000],
  ]);
  assert.deepEqual(
    tokens.rows.map(({ name }) => name),
    [null, '=HYPERLINK("http://evil")', null],
  );
  assert.deepEqual(keys(await list(owner, { groupBy: 'pipeline' })), [
    ['p1', 4, 2510],
    ['p2', 1, 100],
  ]);
  const projects = await list(owner, { groupBy: 'project', from: '2025-12-01' });
  assert.deepEqual(keys(projects), [
    [DEFAULT_PROJECT_ID, 3, 111],
    [PROJECT, 3, 2500],
  ]);
  assert.deepEqual(projects.rows[0]?.name, 'default');
  assert.deepEqual(keys(await list(owner, { projectId: PROJECT, from: '2026-01-31' })), [['2026-01-31', 2, 1500]]);
});

test('members see the usage of their own project only', async () => {
  const mine = await list(member, { groupBy: 'project' });
  assert.deepEqual(keys(mine), [[PROJECT, 3, 2500]]);
  assert.equal(mine.project_id, PROJECT);
  const refused = await refusalOf(list(member, { projectId: DEFAULT_PROJECT_ID }));
  assert.deepEqual([refused.code, refused.status], ['not_found', 404]);
  // An owner's token without the scope admin sees no more.
  const weak: Principal = { ...owner, scopes: ['read'] };
  assert.deepEqual(keys(await list(weak, { groupBy: 'project' })), [[DEFAULT_PROJECT_ID, 2, 110]]);
  await refusalOf(list(weak, { projectId: PROJECT }));
  assert.throws(() => usage.csv(member, { from: undefined, to: undefined, projectId: DEFAULT_PROJECT_ID }), ApiError);
});

test('refuses invalid days, reversed ranges and ranges over a year', async () => {
  for (const query of [
    { from: '2026-02-30' },
    { from: '2026-1-1' },
    { to: "2026-01-01'--" },
    { from: '2026-02-01', to: '2026-01-01' },
    { from: '2025-01-30' },
    { bucket: 'hour', from: '2025-12-31' },
    { bucket: 'hour', from: '2025-11-01', to: '2025-11-02' },
    { bucket: 'day', groupBy: 'day' },
  ] as const) {
    assert.equal((await refusalOf(list(owner, query))).code, 'invalid_request', JSON.stringify(query));
  }
  await list(owner, { from: '2025-01-31' });
});

test('hours and days of each key add up to the same sums', async () => {
  const rowsOf = ({ rows }: UsageGet) => rows.map((row) => [row.bucket, row.key, row.runs, row.prompt_tokens]);
  const days = await list(owner, { bucket: 'day', groupBy: 'pipeline' });
  assert.deepEqual(rowsOf(days), [
    ['2026-01-01', 'p1', 1, 10],
    ['2026-01-01', 'p2', 1, 100],
    ['2026-01-30', 'p1', 1, 1000],
    ['2026-01-31', 'p1', 2, 1500],
  ]);
  const hours = await list(owner, { bucket: 'hour', groupBy: 'pipeline' });
  assert.deepEqual(rowsOf(hours)[0], ['2026-01-01T12:00Z', 'p1', 1, 10]);
  assert.deepEqual([hours.total, hours.rows.length], [days.total, days.rows.length]);
  const time = await list(owner, { bucket: 'hour' });
  assert.deepEqual([time.group_by, time.rows.length, time.total], [null, 3, days.total]);
  const tokens = await list(owner, { bucket: 'day', groupBy: 'token', top: 1 });
  assert.deepEqual(rowsOf(tokens), [
    ['2026-01-01', 'other', 2, 110],
    ['2026-01-30', 'token_member', 1, 1000],
    ['2026-01-31', 'other', 1, 500],
    ['2026-01-31', 'token_member', 1, 1000],
  ]);
  assert.deepEqual(tokens.total, days.total);
  const mine = await list(member, { bucket: 'hour', groupBy: 'project' });
  assert.deepEqual(new Set(mine.rows.map(({ key }) => key)), new Set([PROJECT]));
  assert.deepEqual(mine.total, (await list(member, {})).total);
});

test('pages have the rows of the whole list, each once and in order, and its sum', async () => {
  for (const query of [
    ...(['day', 'token', 'pipeline', 'project'] as const).map((groupBy) => ({ groupBy })),
    ...(['hour', 'day'] as const).flatMap((bucket) =>
      ([undefined, 'token', 'pipeline', 'project'] as const).map((groupBy) => ({ bucket, groupBy, top: 2 })),
    ),
  ]) {
    const whole = await list(owner, query);
    assert.equal(whole.next_cursor, null);
    for (const limit of [1, 2, whole.rows.length, 1000]) {
      const rows: UsageGet['rows'] = [];
      let cursor: string | null | undefined;
      do {
        const page = await list(owner, {
          ...query,
          limit,
          cursor: cursor === undefined ? undefined : usageCursorSchema.parse(cursor),
        });
        assert.ok(page.rows.length <= limit);
        assert.deepEqual(page.total, whole.total);
        rows.push(...page.rows);
        cursor = page.next_cursor;
      } while (cursor !== null);
      assert.deepEqual(rows, whole.rows, `${JSON.stringify(query)} in pages of ${limit}`);
    }
  }
});

test('a page continues after keys with any character, and refuses a cursor that no page had', async () => {
  for (const key of ['', 'a~b', 'ü/%? &', "o'clock\u{1f600}"]) {
    const cursor = { bucket: '2026-01-31T05:00Z', key };
    assert.deepEqual(usageCursorSchema.parse(formatUsageCursor(cursor)), cursor);
  }
  for (const cursor of ['x', '2026-01-01', '~%00', '~%ff', `~${'a'.repeat(1001)}`, '20.1.run_1', "~';--"]) {
    const reply = await it.request(`/v2/usage?cursor=${encodeURIComponent(cursor)}`);
    assert.equal(reply.status, 400, cursor);
  }
  assert.equal((await it.request('/v2/usage?limit=0')).status, 400);
  const page = usageGetSchema.parse(await (await it.request('/v2/usage?cursor=~zzz&limit=5')).json());
  assert.deepEqual([page.rows, page.next_cursor], [[], null]);
});

test('the CSV holds every row, and no token name is a formula', async () => {
  let text = '';
  for await (const page of usage.csv(owner, { from: undefined, to: undefined, projectId: undefined })) text += page;
  const lines = text.split('\r\n');
  assert.equal(
    lines[0],
    'day,project_id,token_id,token_name,pipeline,plan,runs,prompt_tokens,generated_tokens,cached_tokens,compute_ms,computed_tokens',
  );
  assert.equal(lines.length, 1 + 5 + 1);
  assert.equal(
    lines[1],
    `2026-01-01,${DEFAULT_PROJECT_ID},token_evil,"'=HYPERLINK(""http://evil"")",p1,owner,1,10,10,5,100,50`,
  );
});

test("an invoice prices an account's month by its plan, for its user and for owners of the server", async () => {
  const invoice = await usage.invoice(member, { month: '2026-01', userId: undefined });
  assert.deepEqual(
    [invoice.month, invoice.plan_id, invoice.total, ...invoice.lines.map(({ amount }) => amount)],
    // 2,500 prompt tokens at 1 per 1,000, and 120 computed beyond them at 2.
    ['2026-01', 'paid', '12.74', '10.00', '2.50', '0.24'],
  );
  assert.equal((await usage.invoice(owner, { month: '', userId: MEMBER })).total, '12.74');
  // Months before the account existed and months to come cost nothing.
  for (const month of ['2025-12', '2026-02', '1999-01']) {
    const { total, lines } = await usage.invoice(owner, { month, userId: MEMBER });
    assert.deepEqual([total, lines], ['0.00', []], month);
  }
  assert.equal((await refusalOf(usage.invoice(member, { month: '', userId: FIRST_USER_ID }))).code, 'not_found');
  assert.equal((await refusalOf(usage.invoice(owner, { month: '', userId: 'user_none' }))).code, 'not_found');
  assert.equal((await refusalOf(usage.invoice(owner, { month: '2026-13', userId: '' }))).code, 'invalid_request');
});

test('the usage and billing routes reply as documented', async () => {
  usageGetSchema.parse(await (await it.request('/v2/usage?group_by=token')).json());
  invoicePreviewSchema.parse(await (await it.request('/v2/invoice-preview')).json());
  const { current } = planListSchema.parse(await (await it.request('/v2/plans')).json());
  assert.equal(current, 'owner');
  const csv = await it.request('/v2/usage.csv');
  assert.match(csv.headers.get('content-type') ?? '', /^text\/csv/);
  assert.match(csv.headers.get('content-disposition') ?? '', /^attachment/);
  assert.match(await csv.text(), /2026-01-01,/);
  const changed = await it.post('/v2/plan', { plan_id: 'developer' });
  assert.deepEqual([changed.status, (await it.request('/v2/plans')).status], [200, 200]);
  // The webhook needs no sign-in; without a provider it is refused.
  const webhook = await it.app.request('/v2/billing/stripe-webhook', { method: 'POST', body: '{}' });
  assert.equal(webhook.status, 400);
  assert.equal((await it.app.request('/v2/usage.csv')).status, 401);
});

test('the CSV has one line per day, token, pipeline and plan, summed over users, also across its pages', async () => {
  await it.store.db.execute(sql`
    INSERT INTO usage_daily (account_id, day, project_id, user_id, api_key_id, pipeline, plan_id, runs, prompt_tokens,
      generated_tokens, computed_tokens, cached_tokens, compute_ms)
    SELECT 'a', date '2024-01-01' + (i % 3), 'project_csv', 'u' || (i % 2), 't' || (i / 700), 'p' || (i / 2), 'plan', 1, i, 1, 1, 1, 1
    FROM generate_series(0, 2799) i`);
  for (const projectId of ['project_csv', undefined]) {
    let text = '';
    let pages = 0;
    const query = { from: '2024-01-01', to: '2024-01-03', projectId };
    for await (const page of usage.csv(owner, query)) {
      text += page;
      pages += 1;
    }
    const lines = text.trimEnd().split('\r\n').slice(1);
    const expected = returnedRows(
      await it.store.db.execute(sql`
        SELECT concat_ws(',', day, project_id, api_key_id, '', pipeline, plan_id, sum(runs), sum(prompt_tokens)) AS line
        FROM usage_daily WHERE project_id = 'project_csv'
        GROUP BY day, project_id, api_key_id, pipeline, plan_id ORDER BY day, project_id, api_key_id, pipeline, plan_id`),
      z.object({ line: z.string() }),
    );
    assert.ok(pages > 3);
    assert.deepEqual(
      lines.map((line) => line.split(',').slice(0, 8).join(',')),
      expected.map(({ line }) => line),
    );
  }
});

test('the sums of reports equal the meters', async () => {
  const sums = await it.store.db.execute(sql`
    SELECT project_id, day::text, sum(runs)::int AS runs, sum(computed_tokens)::int AS computed FROM usage_sums
    WHERE grouping_id = 0 GROUP BY 1, 2 ORDER BY 1, 2`);
  const meters = await it.store.db.execute(sql`
    SELECT project_id, day::text, sum(runs)::int AS runs, sum(computed_tokens)::int AS computed FROM usage_daily
    WHERE project_id <> 'project_csv' GROUP BY 1, 2 ORDER BY 1, 2`);
  const row = z.looseObject({});
  assert.deepEqual(returnedRows(sums, row), returnedRows(meters, row));
});

test('the days of accounts equal the meters', async () => {
  const amounts = sql.raw(
    ['runs', 'prompt_tokens', 'generated_tokens', 'computed_tokens', 'cached_tokens', 'compute_ms']
      .map((column) => `sum(${column})::int AS ${column}`)
      .join(', '),
  );
  const [days, meters] = await Promise.all(
    ['usage_account_days', 'usage_daily'].map((table) =>
      it.store.db.execute(sql`
        SELECT account_id, day::text, plan_id, ${amounts} FROM ${sql.identifier(table)}
        ${sql.raw(table === 'usage_daily' ? "WHERE project_id <> 'project_csv'" : '')} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`),
    ),
  );
  const row = z.looseObject({});
  assert.ok(returnedRows(days, row).length > 0);
  assert.deepEqual(returnedRows(days, row), returnedRows(meters, row));
});
