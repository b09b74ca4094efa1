import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { Engine } from '@gptj-cloud/engine';
import { ApiError, GPTJ_PIPELINE_ID } from '@gptj-cloud/protocol';
import type { Admission } from '../metering/usage/admission.ts';
import { createFakeEngine } from '../testing/fake-model.ts';
import { createOpenAdmission } from '../testing/open-admission.ts';
import { openTestApp, type TestApp } from '../testing/test-app.ts';

const REQUEST = { pipeline_id: GPTJ_PIPELINE_ID, data: ['four', { response_length: 2 }] };

const open = createOpenAdmission();
/** What the next admission waits for before it answers. */
let gate: Promise<void> = Promise.resolve();
let refusal: ApiError | null = null;
let onAsked = (): void => {};
const admission: Admission = {
  ...open,
  async admitRuns(tx, runs) {
    const answers = await open.admitRuns(tx, runs);
    onAsked();
    await gate;
    return refusal === null ? answers : runs.map(() => refusal ?? assert.fail());
  },
};

let it: TestApp;
before(async () => {
  it = await openTestApp({ openAdmission: async () => admission });
});
after(() => it.close());

/** The status of a run, and how many generations have begun while it is being stored. */
async function create(request: object): Promise<{ readonly status: number; readonly begunWhileStoring: number }> {
  const before = it.engine.began;
  let admit = (): void => {};
  gate = new Promise((resolve) => {
    admit = resolve;
  });
  const asked = new Promise<void>((resolve) => {
    onAsked = resolve;
  });
  const reply = it.post('/v2/runs', request);
  await asked;
  // An execution that was begun before has come to the engine by now.
  await turn();
  const begunWhileStoring = it.engine.began - before;
  admit();
  return { status: (await reply).status, begunWhileStoring };
}

test('a run executes while it is stored when the last run of its project was admitted', async () => {
  assert.deepEqual(await create(REQUEST), { status: 200, begunWhileStoring: 0 });
  const settled = open.settled.length;
  assert.deepEqual(await create(REQUEST), { status: 200, begunWhileStoring: 1 });
  assert.equal(open.settled.length, settled + 1);
});

test('a refused run is charged nothing, and the next one of its project does not begin before it is stored', async () => {
  assert.equal((await create(REQUEST)).status, 200);
  const settled = open.settled.length;
  refusal = new ApiError('quota_exceeded', { limit: 1, requested: 2 });
  assert.deepEqual(await create(REQUEST), { status: 402, begunWhileStoring: 1 });
  assert.deepEqual(await create(REQUEST), { status: 402, begunWhileStoring: 0 });
  refusal = null;
  assert.deepEqual(await create(REQUEST), { status: 200, begunWhileStoring: 0 });
  assert.equal(open.settled.length, settled + 1);
});

test('a run with an idempotency key does not begin before it is known to be the first', async () => {
  assert.equal((await create(REQUEST)).status, 200);
  const before = it.engine.began;
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': 'again' },
    body: JSON.stringify(REQUEST),
  };
  gate = Promise.resolve();
  const replies = await Promise.all([it.request('/v2/runs', init), it.request('/v2/runs', init)]);
  assert.deepEqual(
    replies.map(({ status }) => status),
    [200, 200],
  );
  assert.equal(it.engine.began, before + 1);
});

test('a run that executes while it is stored ends when the server stops before it is stored', async () => {
  const signals: (AbortSignal | undefined)[] = [];
  const engine = createFakeEngine();
  const generator: Engine = {
    ...engine,
    generate(request, signal) {
      signals.push(signal);
      return engine.generate(request, signal);
    },
  };
  refusal = null;
  gate = Promise.resolve();
  const stopping = await openTestApp({ generator, openAdmission: async () => admission });
  try {
    assert.equal((await stopping.post('/v2/runs', REQUEST)).status, 200);
    engine.hold();
    let admit = (): void => {};
    gate = new Promise((resolve) => {
      admit = resolve;
    });
    const asked = new Promise<void>((resolve) => {
      onAsked = resolve;
    });
    const reply = stopping.post('/v2/runs', REQUEST);
    await asked;
    await turn();
    assert.equal(signals.length, 2);
    await stopping.runs.worker.stop();
    admit();
    await reply;
    assert.equal(signals[1]?.aborted, true);
  } finally {
    engine.resume();
    await stopping.close();
  }
});
