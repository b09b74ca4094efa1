/** A cancelled generation is charged once for what was computed, and its reservation is returned. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { GPTJ_PIPELINE_ID, type RunGet, runGetSchema } from '@gptj-cloud/protocol';
import { FIRST_USER_ID } from '../../identity/users/first-user.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { countersOf, meteredOf } from '../../testing/admissions.ts';
import { bookOf, planOf } from '../../testing/plans.ts';
import { createScriptedEngine, type ScriptedEngine } from '../../testing/scripted-engine.ts';
import { bytesOf } from '../../testing/scripted-model.ts';
import { NOW, openTestApp, type TestApp } from '../../testing/test-app.ts';
import { until } from '../../testing/until.ts';
import { type CountedAdmission, openCountedAdmission } from './counted-admission.ts';
import { usageDaily } from './usage-tables.ts';

const PROMPT = 'four';
const ASKED = 10;
const MADE = 3;
const COST = PROMPT.length + MADE;

let it: TestApp;
let engine: ScriptedEngine;
let admission: CountedAdmission;
/** Number of tokens that are generated before the engine pauses. */
let stallsAt = MADE;
/** Number of tokens generated at the last pause. */
let steps = -1;
let held: Promise<void> | null;
let resume: () => void;
before(async () => {
  engine = createScriptedEngine(({ config }) => ({
    sequences: Array.from({ length: config.numReturnSequences }, () => bytesOf('x'.repeat(ASKED))),
    pause(token) {
      if (token !== stallsAt) return null;
      steps = token;
      return held;
    },
  }));
  it = await openTestApp({
    generator: engine,
    queue: { running: 1, waiting: 10 },
    openAdmission: async (db) => {
      admission = await openCountedAdmission({
        db,
        plans: bookOf(planOf('owner', { tokensPerDay: 1000, concurrentRuns: 10 })),
        servedModel: 'scripted',
        clock: () => NOW,
        logger: createLogger(
          () => {},
          () => NOW,
        ),
        sweepEveryMs: null,
      });
      return admission;
    },
  });
  hold();
});
after(async () => {
  resume();
  await it.close();
});
afterEach(async () => {
  resume();
  await until(() => engine.running === 0);
  assert.deepEqual(await reserved(), [0, 0, 0]);
  await it.store.db.delete(usageDaily);
  stallsAt = MADE;
  steps = -1;
  hold();
});

function hold(): void {
  held = new Promise((resolve) => {
    resume = resolve;
  });
}

/** Runs, and tokens of the day and the month, that are reserved. */
async function reserved(): Promise<readonly unknown[]> {
  const { running, dayReserved, monthReserved } = Object(await countersOf(it.store.db, FIRST_USER_ID));
  return [running, dayReserved, monthReserved];
}

/** The metered requests, prompt tokens, generated tokens and computed tokens. */
const metered = async (): Promise<readonly (readonly number[])[]> =>
  (await meteredOf(it.store.db, FIRST_USER_ID)).map((row) => [
    row.runs,
    row.promptTokens,
    row.generatedTokens,
    row.computedTokens,
  ]);

const run = async (reply: Response | Promise<Response>): Promise<RunGet> =>
  runGetSchema.parse(await (await reply).json());
const submit = (options: object, parameters: object = {}): Promise<Response> =>
  it.post('/v2/runs', {
    pipeline_id: GPTJ_PIPELINE_ID,
    data: [PROMPT, { response_length: ASKED, ...parameters }],
    ...options,
  });
const cancel = (id: string): Promise<RunGet> => run(it.request(`/v2/runs/${id}/cancel`, { method: 'POST' }));

/** Read a stream until `max` token events of a run have arrived. Returns the run's id. */
async function readTokens(reply: Response, max: number): Promise<{ id: string; reader: ReadableStreamDefaultReader }> {
  const reader = reply.body?.getReader() ?? assert.fail('expected a body');
  let text = '';
  while ((text.match(/^event: token$/gm)?.length ?? 0) < max) {
    const { value, done } = await reader.read();
    assert.ok(!done, text);
    text += new TextDecoder().decode(value);
  }
  return { id: /run_[0-9a-f]{32}/.exec(text)?.[0] ?? '', reader };
}

test('a run cancelled midway costs its prompt and the generated tokens, however often it is cancelled', async () => {
  const { id, reader } = await readTokens(await submit({ stream: true, async_run: true }), MADE);
  assert.deepEqual(await reserved(), [1, PROMPT.length + ASKED, PROMPT.length + ASKED]);
  const ends = await Promise.all([cancel(id), cancel(id), cancel(id)]);
  await reader.cancel();
  for (const { run_state, error } of ends) assert.deepEqual([run_state, error], ['failed', 'pipeline_fault']);
  // The reply and the stored run show the charge.
  const stored = await run(it.request(`/v2/runs/${id}`));
  for (const { usage } of [...ends, stored]) {
    assert.deepEqual(usage, { prompt_tokens: 4, generated_tokens: MADE, computed_tokens: COST, cached_tokens: 0 });
  }
  assert.equal(typeof stored.compute_time_ms, 'number');
  await cancel(id);
  assert.deepEqual(await metered(), [[1, PROMPT.length, MADE, COST]]);
});

test('counts the generated tokens of every sequence', async () => {
  const reply = await submit({ stream: true, async_run: true }, { num_return_sequences: 2, do_sample: true });
  const { id, reader } = await readTokens(reply, 2 * MADE);
  assert.deepEqual(await reserved(), [1, PROMPT.length + 2 * ASKED, PROMPT.length + 2 * ASKED]);
  await cancel(id);
  await reader.cancel();
  assert.deepEqual(await metered(), [[1, PROMPT.length, 2 * MADE, PROMPT.length + 2 * MADE]]);
});

test('a client that leaves a stream is charged for the generated tokens', async () => {
  const { id, reader } = await readTokens(await submit({ stream: true }), MADE);
  await reader.cancel();
  await until(async () => (await run(it.request(`/v2/runs/${id}`))).ended_at !== null);
  assert.deepEqual(await metered(), [[1, PROMPT.length, MADE, COST]]);
});

test('a beam search cancelled midway costs its prompt and the steps of all its beams', async () => {
  const { id } = await run(submit({ async_run: true }, { num_beams: 4, num_return_sequences: 2 }));
  assert.deepEqual((await reserved())[1], PROMPT.length + 4 * (ASKED - 1));
  // A beam search streams no token before its end.
  await until(() => steps === MADE);
  await cancel(id);
  assert.deepEqual(await metered(), [[1, PROMPT.length, 0, PROMPT.length + 4 * MADE]]);
});

test('a run cancelled during its prompt costs the prompt', async () => {
  stallsAt = 0;
  const { id } = await run(submit({ async_run: true }));
  await until(() => steps === 0);
  await cancel(id);
  assert.deepEqual(await metered(), [[1, PROMPT.length, 0, PROMPT.length]]);
});

test('a run cancelled while it waits costs nothing', async () => {
  const first = await readTokens(await submit({ stream: true, async_run: true }), MADE);
  const waiting = await run(submit({ async_run: true }));
  assert.deepEqual(await reserved(), [2, 2 * (PROMPT.length + ASKED), 2 * (PROMPT.length + ASKED)]);
  await cancel(waiting.id);
  assert.deepEqual(await reserved(), [1, PROMPT.length + ASKED, PROMPT.length + ASKED]);
  assert.deepEqual(await metered(), []);
  resume();
  await first.reader.cancel();
  await until(async () => (await run(it.request(`/v2/runs/${first.id}`))).run_state === 'complete');
  assert.deepEqual(await metered(), [[1, PROMPT.length, ASKED, PROMPT.length + ASKED]]);
});

test('a cancellation after the end of the run changes nothing', async () => {
  resume();
  const ended = await run(submit({}));
  assert.deepEqual(await cancel(ended.id), ended);
  assert.deepEqual(await metered(), [[1, PROMPT.length, ASKED, PROMPT.length + ASKED]]);
});

test('a completion whose client leaves midway costs its prompt and the generated tokens', async () => {
  const reply = await it.post('/v1/completions', {
    model: 'scripted',
    prompt: PROMPT,
    max_tokens: ASKED,
    stream: true,
  });
  const reader = reply.body?.getReader() ?? assert.fail('expected a body');
  let text = '';
  while ((text.match(/"text":"x"/g)?.length ?? 0) < MADE) {
    text += new TextDecoder().decode((await reader.read()).value);
  }
  assert.deepEqual(await reserved(), [1, PROMPT.length + ASKED, PROMPT.length + ASKED]);
  await reader.cancel();
  await until(async () => (await reserved())[0] === 0);
  assert.deepEqual(await metered(), [[1, PROMPT.length, MADE, COST]]);
});
