import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { ModelError } from '@gptj-cloud/model';
import {
  GPTJ_PIPELINE_ID,
  type RunGet,
  type RunSummaryPage,
  runGetSchema,
  runInputGetSchema,
  runSummaryPageSchema,
} from '@gptj-cloud/protocol';
import { openPlanBook } from '../../metering/plans/plan-book.ts';
import { openCountedAdmission } from '../../metering/usage/counted-admission.ts';
import { NOW, openTestApp, type TestApp } from '../../testing/test-app.ts';

let it: TestApp;
before(async () => {
  const plans = await openPlanBook(null);
  let ms = NOW.getTime();
  it = await openTestApp({
    clock: () => new Date(++ms),
    openAdmission: (db) =>
      openCountedAdmission({
        db,
        plans,
        servedModel: 'fake',
        clock: () => NOW,
        logger: { debug() {}, info() {}, warn() {}, error() {} },
        sweepEveryMs: null,
      }),
  });
});
after(() => it.close());
afterEach(() => it.engine.resume());

const start = async (prompt: string, parameters: object = { response_length: 2 }): Promise<RunGet> =>
  runGetSchema.parse(
    await (await it.post('/v2/runs', { pipeline_id: GPTJ_PIPELINE_ID, data: [prompt, parameters] })).json(),
  );
const summaries = async (query: string): Promise<RunSummaryPage> => {
  const reply = await it.request(`/v2/runs?view=summary${query}`);
  const text = await reply.text();
  assert.equal(reply.status, 200, text);
  return runSummaryPageSchema.parse(JSON.parse(text));
};
const messageOf = async (path: string): Promise<string> => {
  const reply = await it.request(path);
  const body: unknown = await reply.json();
  return `${reply.status} ${Reflect.get(Object(Reflect.get(Object(body), 'detail')), 'message')}`;
};

test('a summary agrees with its run, and has no input, result or traceback', async () => {
  const run = await start(`Once upon a time ${'z'.repeat(300)}`);
  assert.equal(run.attempts, 1);
  assert.deepEqual(run.timings?.compute_ms, run.compute_time_ms);
  assert.ok((run.timings?.queued_ms ?? -1) >= 0);
  assert.ok((run.timings?.first_token_ms ?? -1) >= (run.timings?.queued_ms ?? 0));
  assert.match(run.token_id ?? '', /^token_[0-9a-f]{32}$/);
  assert.deepEqual(run.cost, { amount: '0.00', currency: 'USD' });
  const reply = await it.request(`/v2/runs?view=summary&q=${run.id}`);
  const text = await reply.text();
  assert.doesNotMatch(text, /hex_file|"data":\{|result|traceback/);
  const [summary] = runSummaryPageSchema.parse(JSON.parse(text)).data;
  assert.deepEqual(summary, {
    id: run.id,
    created_at: run.created_at,
    started_at: run.started_at,
    ended_at: run.ended_at,
    run_state: 'complete',
    pipeline_id: GPTJ_PIPELINE_ID,
    prompt_head: `Once upon a time ${'z'.repeat(143)}`,
    output_head: 'xx',
    token_id: run.token_id,
    token_name: summary?.token_name,
    error: null,
    exception: null,
    usage: run.usage,
    timings: run.timings,
    cost: run.cost,
    seed: run.seed,
    attempts: 1,
    async_run: false,
  });
  assert.equal(typeof summary?.token_name, 'string');
});

test('lists are filtered by text, token, states and time, and go on by their cursor', async () => {
  const [first, second] = [await start('needle one'), await start('needle two')];
  it.engine.failures.push(new ModelError('cache_full', 'no room'));
  const failed = await start('needle three');
  const idsOf = async (query: string) => (await summaries(query)).data.map(({ id }) => id);
  assert.deepEqual(await idsOf('&q=NEEDLE'), [failed.id, second.id, first.id]);
  assert.deepEqual(await idsOf('&q=needle&state=complete,received&order_by=created_at:asc'), [first.id, second.id]);
  assert.deepEqual(await idsOf('&q=needle&state=failed'), [failed.id]);
  assert.deepEqual(await idsOf(`&q=needle&created_after=${second.created_at}&created_before=${failed.created_at}`), [
    second.id,
  ]);
  assert.deepEqual(await idsOf(`&q=needle&token_id=${first.token_id}&limit=1`), [failed.id]);
  assert.deepEqual(await idsOf('&q=needle&token_id=session'), []);
  const page = await summaries('&q=needle&limit=2');
  assert.equal(page.total, 3);
  assert.deepEqual(await idsOf(`&q=needle&limit=2&cursor=${page.next_cursor}`), [first.id]);
  const [summary] = (await summaries(`&q=${failed.id}`)).data;
  assert.deepEqual([summary?.error, summary?.exception], ['unsatisfiable', 'no room']);
});

test('refuses filters that it does not know, and says which it does', async () => {
  assert.match(await messageOf('/v2/runs?state=done'), /^400 .*expected states out of received, /);
  assert.match(await messageOf('/v2/runs?token_id=mine'), /^400 .*expected the id of an API token, or session/);
  assert.match(await messageOf('/v2/runs?created_after=yesterday'), /^400 .*expected epoch seconds or ISO 8601/);
  assert.match(await messageOf('/v2/runs?view=short'), /^400 .*expected one of full, summary/);
  assert.match(await messageOf(`/v2/runs?q=${'a'.repeat(161)}`), /^400 /);
});

test('gives the input of a run as JSON', async () => {
  const parameters = { response_length: 1, temperature: 1, stop_strings: ['ü'], do_sample: true };
  const run = await start('hi\n😀', { ...parameters, top_k: null });
  const reply = await it.request(`/v2/runs/${run.id}/input`);
  assert.deepEqual(runInputGetSchema.parse(await reply.json()), { prompt: 'hi\n😀', parameters });
  assert.match(await messageOf(`/v2/runs/run_${'0'.repeat(32)}/input`), /^404 /);
});

test('a run that failed before it computed anything has no times and no cost', async () => {
  it.engine.hold();
  const reply = await it.post('/v2/runs', {
    pipeline_id: GPTJ_PIPELINE_ID,
    data: ['hi', { response_length: 2 }],
    async_run: true,
  });
  const { id, timings, cost } = runGetSchema.parse(await reply.json());
  assert.deepEqual([timings, cost], [{ queued_ms: null, first_token_ms: null, compute_ms: null }, null]);
  const cancelled = runGetSchema.parse(await (await it.request(`/v2/runs/${id}/cancel`, { method: 'POST' })).json());
  assert.equal(cancelled.timings?.first_token_ms, null);
});
