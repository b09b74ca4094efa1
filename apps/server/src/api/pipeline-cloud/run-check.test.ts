import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { GPTJ_PIPELINE_ID, type RunCheck, runCheckSchema, runGetSchema, runInputGetSchema } from '@gptj-cloud/protocol';
import { openCountedAdmission } from '../../metering/usage/counted-admission.ts';
import { bookOf, planOf } from '../../testing/plans.ts';
import { NOW, openTestApp, type TestApp } from '../../testing/test-app.ts';

const PLAN = planOf('owner', { tokensPerDay: 40, maxContext: 32 });

let it: TestApp;
before(async () => {
  it = await openTestApp({
    queue: { running: 1, waiting: 1 },
    openAdmission: (db) =>
      openCountedAdmission({
        db,
        plans: bookOf(PLAN),
        servedModel: 'fake',
        clock: () => NOW,
        logger: { debug() {}, info() {}, warn() {}, error() {} },
        sweepEveryMs: null,
      }),
  });
});
after(() => it.close());
afterEach(() => it.engine.resume());

const body = (prompt: unknown, parameters: object = { response_length: 2 }) => ({
  pipeline_id: GPTJ_PIPELINE_ID,
  data: [prompt, parameters],
});
async function check(request: object): Promise<RunCheck> {
  const reply = await it.post('/v2/runs/check', request);
  const text = await reply.text();
  assert.equal(reply.status, 200, text);
  return runCheckSchema.parse(JSON.parse(text));
}
/** The refusal of a check, and the error of the run itself. */
async function bothRefusals(request: object): Promise<readonly [string | undefined, unknown]> {
  const { refusal } = await check(request);
  const reply = await it.post('/v2/runs', request);
  const { detail } = (await reply.json()) as { detail: { code: string; message: string } };
  assert.deepEqual([refusal?.status, refusal?.message], [reply.status, detail.message]);
  return [refusal?.code, detail.code];
}

test('returns tokens, mode and cost of a run, stores nothing, and reserves nothing', async () => {
  const parameters = { max_new_tokens: 6, temperature: 2, num_beams: 2 };
  for (let again = 0; again < 5; again++) {
    const { cost_at_most: cost, refusal, warnings, ...counts } = await check(body('four', parameters));
    assert.deepEqual(counts, { prompt_tokens: 4, max_generated_tokens: 6, context_tokens: 10, mode: 'beam' });
    assert.deepEqual(warnings, ['temperature is ignored: it acts only with do_sample']);
    assert.equal(refusal, null);
    assert.deepEqual([cost?.computed_tokens, cost?.currency, cost?.per_compute_hour], [14, 'USD', 0]);
  }
  assert.equal(((await (await it.request('/v2/runs')).json()) as { total: number }).total, 0);
  assert.equal(it.engine.began, 0);
  const accepted = await it.post('/v2/runs', body('four', parameters));
  assert.equal(runGetSchema.parse(await accepted.json()).run_state, 'complete');
});

test('returns the error that the run would get: of its input, its plan, its quota, and the queue', async () => {
  const unknown = await check(body('hi', { temprature: 1 }));
  assert.match(unknown.refusal?.message ?? '', /did you mean temperature\?/);
  assert.deepEqual([unknown.prompt_tokens, unknown.mode, unknown.cost_at_most], [null, null, null]);
  assert.deepEqual(await bothRefusals(body('hi', { temprature: 1 })), ['invalid_parameter', 'invalid_parameter']);
  assert.deepEqual(await bothRefusals(body('')), ['invalid_input', 'invalid_input']);
  assert.deepEqual(await bothRefusals({ ...body('hi'), pipeline_id: 'none:such' }), [
    'pipeline_unknown',
    'pipeline_unknown',
  ]);
  assert.deepEqual(await bothRefusals(body('hi', { max_new_tokens: 31 })), ['plan_required', 'plan_required']);
  const spent = await bothRefusals(body('hi', { max_new_tokens: 30 }));
  assert.deepEqual(spent, ['quota_exceeded', 'quota_exceeded']);
  const { refusal } = await check(body('hi', { max_new_tokens: 30 }));
  assert.deepEqual([refusal?.limit, refusal?.requested, typeof refusal?.retry_after_seconds], [40, 32, 'number']);
});

test('refuses a body that is no run as the run itself does', async () => {
  for (const request of [{}, { pipeline_id: GPTJ_PIPELINE_ID }, []]) {
    const reply = await it.post('/v2/runs/check', request);
    assert.equal(reply.status, 400, JSON.stringify(request));
  }
});

test('a prompt of token ids runs like the text that it spells', async () => {
  const ids = [...new TextEncoder().encode('hi')];
  const { prompt_tokens: count, refusal } = await check(body(ids, { response_length: 1 }));
  assert.deepEqual([count, refusal], [2, null]);
  const run = runGetSchema.parse(await (await it.post('/v2/runs', body(ids, { response_length: 1 }))).json());

  assert.equal(run.usage?.prompt_tokens, 2);
  const input = await it.request(`/v2/runs/${run.id}/input`);
  assert.deepEqual(runInputGetSchema.parse(await input.json()).prompt, ids);
  for (const [prompt, expected] of [
    [[], /non-empty/],
    [[1.5], /integers of at least 0, got 1.5/],
    [[-1], /integers of at least 0, got -1/],
    [['a'], /integers of at least 0, got str/],
    [[104, 999_999], /ids from 0 to \d+, got 999999/],
  ] as const) {
    assert.match((await check(body(prompt))).refusal?.message ?? '', expected, JSON.stringify(prompt));
  }
  const long = Array.from({ length: 5000 }, () => 104);
  assert.match((await check(body(long))).refusal?.message ?? '', /limited to 2048 tokens/);
});
