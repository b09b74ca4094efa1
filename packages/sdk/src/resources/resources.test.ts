import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WaitTimeoutError } from '../errors.ts';
import { FAILED, PIPELINE, RUN, RUNNING, replying, type Stub, stub } from '../testing/stub-fetch.ts';

const BASE = 'http://host:1/base';
const TOKEN = {
  id: 'token_1',
  value: 'pipeline_sk_x',
  name: 'ci',
  created_at: 1,
  updated_at: 2,
  expires_at: null,
  last_used: 3,
  is_active: true,
  is_enabled: true,
  user_id: 'user_1',
  project_id: 'project_1',
  scopes: ['run'],
};
const SUMS = { runs: 1, prompt_tokens: 2, generated_tokens: 3, computed_tokens: 6, cached_tokens: 4, compute_ms: 5 };
const PLAN = {
  id: 'free',
  name: 'Free',
  description: '',
  requests_per_minute: 20,
  concurrent_runs: null,
  tokens_per_day: 1,
  tokens_per_month: 2,
  priority: 0,
  max_generation_seconds: 120,
  max_run_seconds: 300,
  max_context: 2048,
  models: ['*'],
  prices: { monthly: 0, per_1000_prompt_tokens: 1, per_1000_generated_tokens: 2, per_compute_hour: 3 },
};
const TAG = { id: 'pipeline_tag_1', name: 'a/b:c', project_id: 'project_1', pipeline_id: PIPELINE };
const page = (...data: readonly unknown[]) => ({ skip: 0, limit: 20, total: data.length, data });

/** Method, path and body of the only request. */
function requestOf({ sent }: Stub): readonly unknown[] {
  assert.equal(sent.length, 1);
  return [sent[0]?.method, sent[0]?.url.slice(BASE.length), sent[0]?.body];
}

test('creates, lists, changes and deletes tokens', async () => {
  const made = replying(TOKEN, { status: 201 });
  const token = await made.api.tokens.create({ name: 'ci', scopes: ['run'], expiresAt: new Date(0) });
  assert.deepEqual(requestOf(made), [
    'POST',
    '/v2/tokens',
    { name: 'ci', scopes: ['run'], expires_at: '1970-01-01T00:00:00.000Z' },
  ]);
  assert.deepEqual(
    [token.value, token.lastUsed?.getTime(), token.expiresAt, token.scopes, token.isActive],
    ['pipeline_sk_x', 3000, null, ['run'], true],
  );
  const confirmed = replying(TOKEN, { status: 201 });
  await confirmed.api.tokens.create({}, { confirmation: { password: 'päss 1%', code: '123456' } });
  const headers = new Headers(confirmed.sent[0]?.headers);
  assert.deepEqual([headers.get('x-confirm-password'), headers.get('x-confirm-code')], ['p%C3%A4ss%201%25', '123456']);
  const list = replying(page(TOKEN));
  assert.equal((await list.api.tokens.list({ order: 'oldest' })).items[0]?.id, 'token_1');
  assert.deepEqual(requestOf(list), ['GET', '/v2/tokens?limit=20&skip=0&order_by=created_at%3Aasc', null]);
  const change = replying(TOKEN);
  await change.api.tokens.change('a/b', { isEnabled: false, expiresAt: null });
  assert.deepEqual(requestOf(change), ['PATCH', '/v2/tokens/a%2Fb', { is_enabled: false, expires_at: null }]);
  const rotated = replying({ ...TOKEN, previous_value_until: 5 });
  const { value, previousValueUntil } = await rotated.api.tokens.rotate('token_1', { overlapSeconds: 60 });
  assert.deepEqual([value, previousValueUntil?.getTime()], ['pipeline_sk_x', 5000]);
  assert.deepEqual(requestOf(rotated), ['POST', '/v2/tokens/token_1/rotate', { overlap_seconds: 60 }]);
  const gone = stub(() => new Response(null, { status: 204 }));
  await gone.api.tokens.delete('token_1');
  assert.deepEqual(requestOf(gone), ['DELETE', '/v2/tokens/token_1', null]);
  for (const [path, call] of [
    ['/v2/files/file_1', 'deleteFile'],
    ['/v2/data/file_1', 'deleteData'],
  ] as const) {
    const deleted = stub(() => new Response(null, { status: 204 }));
    await deleted.api[call]('file_1');
    assert.deepEqual(requestOf(deleted), ['DELETE', path, null]);
  }
});

test('requests usage with the given options only', async () => {
  const usage = replying({
    from: '2026-01-01',
    to: '2026-01-31',
    group_by: 'token',
    project_id: null,
    rows: [{ key: 'token_1', name: null, ...SUMS }],
    total: SUMS,
  });
  const { rows, total } = await usage.api.usage.get({ from: '2026-01-01', groupBy: 'token' });
  assert.deepEqual(requestOf(usage), ['GET', '/v2/usage?from=2026-01-01&group_by=token', null]);
  const counts = { runs: 1, promptTokens: 2, generatedTokens: 3, computedTokens: 6 };
  assert.deepEqual(total, { ...counts, cachedTokens: 4, computeMs: 5 });
  assert.deepEqual(rows, [{ bucket: null, key: 'token_1', name: null, ...total }]);
  const stored = { bytes: { used: 5, limit: 10 }, items: { used: 1, limit: null } };
  const storage = replying({ plan_id: 'free', ...stored });
  assert.deepEqual(await storage.api.usage.storage(), { planId: 'free', ...stored });
  assert.deepEqual(requestOf(storage), ['GET', '/v2/storage', null]);
  const csv = replying('day,runs\n');
  assert.equal(await csv.api.usage.csv(), 'day,runs\n');
  assert.deepEqual(requestOf(csv), ['GET', '/v2/usage.csv', null]);
  const line = { description: 'd', quantity: 1, unit: 'month', price: 2, amount: '2.00' };
  const bill = { month: '2026-01', user_id: 'u', plan_id: 'free', currency: 'EUR', lines: [line], total: '2.00' };
  const invoice = replying(bill);
  assert.deepEqual((await invoice.api.usage.previewInvoice({ month: '2026-01' })).lines, [line]);
  assert.deepEqual(requestOf(invoice), ['GET', '/v2/invoice-preview?month=2026-01', null]);
});

test('reads what is left of the plan', async () => {
  const tokens = { used: 1, limit: null, reserved: 2, resets_at: 3 };
  const counted = { used: null, limit: null };
  const stored = { used: 4, limit: 5 };
  const { api } = replying({
    plan_id: 'free',
    day: tokens,
    month: { ...tokens, limit: 9 },
    running: counted,
    requests: { used: 1, limit: 20 },
    stored_bytes: stored,
    stored_items: stored,
  });
  const limits = await api.limits.get();
  assert.deepEqual(
    [limits.day.resetsAt.getTime(), limits.day.limit, limits.month.limit, limits.running, limits.storedBytes],
    [3000, null, 9, counted, stored],
  );
});

test('lists and changes plans', async () => {
  const request = { user_id: 'u', plan_id: 'premium', requested_at: 1 };
  const list = replying({ currency: 'EUR', plans: [PLAN], current: 'free', requests: [request] });
  const plans = await list.api.plans.list();
  assert.deepEqual(
    [plans.current, plans.plans[0]?.concurrentRuns, plans.plans[0]?.prices.per1000GeneratedTokens],
    ['free', null, 2],
  );
  assert.equal(plans.requests[0]?.requestedAt.getTime(), 1000);
  const change = replying({ status: 'checkout', user_id: 'u', plan_id: 'premium', checkout_url: 'https://pay' });
  assert.equal((await change.api.plans.change('premium')).checkoutUrl, 'https://pay');
  assert.deepEqual(requestOf(change), ['POST', '/v2/plan', { plan_id: 'premium' }]);
});

test('lists pipelines and manages tags', async () => {
  const list = replying(page({ id: PIPELINE, name: 'gpt-j-6b', tags: ['eleutherai/gpt-j-6b:latest'] }));
  assert.deepEqual((await list.api.pipelines.list()).items[0]?.tags, ['eleutherai/gpt-j-6b:latest']);
  const one = replying({ id: PIPELINE, name: 'gpt-j-6b' });
  assert.equal((await one.api.pipelines.get('a/b:c')).description, null);
  assert.deepEqual(requestOf(one), ['GET', '/v2/pipelines/a%2Fb%3Ac', null]);
  const made = replying(TAG, { status: 201 });
  assert.equal((await made.api.tags.create({ name: 'a/b:c', pipeline: PIPELINE })).pipelineId, PIPELINE);
  assert.deepEqual(requestOf(made), ['POST', '/v2/pipeline-tags', { name: 'a/b:c', pipeline_id: PIPELINE }]);
  const tags = replying(page(TAG));
  await tags.api.tags.list({ pipelineId: PIPELINE });
  assert.match(String(requestOf(tags)[1]), new RegExp(`&pipeline_id=${PIPELINE}$`));
  const named = replying(TAG);
  await named.api.tags.getByName('a/b:c');
  assert.deepEqual(requestOf(named), ['GET', '/v2/pipeline-tags/by-name/a%2Fb%3Ac', null]);
  const moved = replying(TAG);
  await moved.api.tags.move('pipeline_tag_1', 'other:tag');
  assert.deepEqual(requestOf(moved), ['PATCH', '/v2/pipeline-tags/pipeline_tag_1', { pipeline_id: 'other:tag' }]);
});

test('asks for the token ids of a text, and for the text of token ids', async () => {
  const made = replying({ tokens: [7454, 2402], texts: ['Once', ' upon'], offsets: [0, 4] });
  const tokens = await made.api.text.tokenize('Once upon', { splitSpecialTokens: true });
  assert.deepEqual(tokens, { tokens: [7454, 2402], texts: ['Once', ' upon'], offsets: [0, 4] });
  const body = { text: 'Once upon', split_special_tokens: true };
  assert.deepEqual(requestOf(made), ['POST', '/v2/tokenize', body]);
  const back = replying({ text: 'Once', texts: ['Once'] });
  assert.deepEqual(await back.api.text.detokenize([7454]), { text: 'Once', texts: ['Once'] });
  assert.deepEqual(requestOf(back), ['POST', '/v2/detokenize', { tokens: [7454] }]);
});

test('checks a run, and reads the error that it would get', async () => {
  const cost = { amount: '0.02', currency: 'USD', computed_tokens: 14, per_compute_hour: 2 };
  const counts = { prompt_tokens: 4, max_generated_tokens: 6, context_tokens: 10, mode: 'beam', warnings: ['w'] };
  const fine = replying({ ...counts, cost_at_most: cost, refusal: null });
  const check = await fine.api.runs.check(PIPELINE, ['hi', {}]);
  assert.deepEqual(requestOf(fine), ['POST', '/v2/runs/check', { pipeline_id: PIPELINE, data: ['hi', {}] }]);
  assert.deepEqual([check.promptTokens, check.mode, check.costAtMost?.computedTokens], [4, 'beam', 14]);
  const refusal = { code: 'quota_exceeded', status: 429, message: 'm', remedy: 'r', retry_after_seconds: 5, limit: 40 };
  const none = { prompt_tokens: null, max_generated_tokens: null, context_tokens: null, mode: null, warnings: [] };
  const refused = await replying({ ...none, cost_at_most: null, refusal }).api.runs.check(PIPELINE, ['Once', {}]);
  const { details, ...shown } = refused.refusal ?? assert.fail('expected a refusal');
  assert.deepEqual(shown, { code: 'quota_exceeded', status: 429, message: 'm', remedy: 'r', retryAfterSeconds: 5 });
  assert.deepEqual([details.limit, refused.promptTokens, refused.costAtMost], [40, null, null]);
});

test('starts, lists, cancels and deletes runs', async () => {
  const started = replying(RUNNING, { status: 202 });
  assert.equal((await started.api.startRun(PIPELINE, ['x', {}])).runState, 'running');
  assert.deepEqual(requestOf(started), [
    'POST',
    '/v2/runs',
    { pipeline_id: PIPELINE, data: ['x', {}], async_run: true },
  ]);
  const list = replying(page(RUN));
  await list.api.listRuns({ limit: 5, runState: 'failed', pipelineId: PIPELINE, order: 'oldest' });
  const query = `limit=5&skip=0&order_by=created_at%3Aasc&pipeline_id=${PIPELINE}&run_state=failed`;
  assert.deepEqual(requestOf(list), ['GET', `/v2/runs?${query}`, null]);
  const cancelled = replying(FAILED);
  await cancelled.api.cancelRun('run/1');
  assert.deepEqual(requestOf(cancelled), ['POST', '/v2/runs/run%2F1/cancel', null]);
  const gone = stub(() => new Response(null, { status: 204 }));
  await gone.api.deleteRun('run_1');
  assert.deepEqual(requestOf(gone), ['DELETE', '/v2/runs/run_1', null]);
});

test('waitForRun polls until the run has ended or the time limit has passed', async () => {
  const { api, sent } = stub((_, count) => Response.json(count < 3 ? RUNNING : FAILED));
  assert.equal((await api.waitForRun('run_1', { pollMs: 0 })).runState, 'failed');
  assert.equal(sent.length, 4);
  const never = replying(RUNNING);
  await assert.rejects(
    never.api.waitForRun('run_1', { waitMs: 0 }),
    (error) => error instanceof WaitTimeoutError && error.run.runState === 'running',
  );
  assert.equal(never.sent.length, 1);
});
