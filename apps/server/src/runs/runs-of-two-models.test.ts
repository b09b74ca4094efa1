/** Runs of two models in one queue. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pipelineOf } from '../generation/pipelines/pipeline-identity.ts';
import { openTestApp, type TestApp, type TestAppOptions } from '../testing/test-app.ts';
import { openTestStore } from '../testing/test-store.ts';
import { createTwoModels, type TwoModels } from '../testing/two-models.ts';

const FIRST = pipelineOf('first', true).id;
const SECOND = pipelineOf('second', false).id;

interface Served {
  readonly it: TestApp;
  readonly models: TwoModels;
  /** Accept a run without waiting for its end; its id. */
  begin(pipeline: string): Promise<string>;
  run(id: string): Promise<{ readonly run_state: string; readonly result_preview: unknown }>;
  /** The text of a run, when it has ended. */
  text(id: string): Promise<unknown>;
  close(): Promise<void>;
}

async function serve(fitting: 1 | 2, options: TestAppOptions = {}): Promise<Served> {
  const models = createTwoModels(fitting);
  const { first, second } = models;
  const it = await openTestApp({
    queue: { running: 2, waiting: 10 },
    generator: first.engine,
    hosted: first.hosted,
    otherModels: [second],
    ...options,
  });
  const run: Served['run'] = async (id) => JSON.parse(await (await it.request(`/v2/runs/${id}`)).text());
  return {
    it,
    models,
    run,
    async begin(pipeline) {
      const body = { pipeline_id: pipeline, data: ['x', { max_new_tokens: 2 }], async_run: true };
      return JSON.parse(await (await it.post('/v2/runs', body)).text()).id;
    },
    async text(id) {
      for (;;) {
        const { run_state: state, result_preview: preview } = await run(id);
        if (state === 'complete') return preview;
        assert.notEqual(state, 'failed');
        await new Promise(setImmediate);
      }
    },
    async close() {
      await it.close();
      await models.host.close();
    },
  };
}

test('runs wait without a slot while their model loads, and runs of the other model are executed', async () => {
  const { models, begin, run, text, close } = await serve(2);
  try {
    const letGo = models.hold('second');
    // More than there are slots.
    const waiting = [await begin(SECOND), await begin(SECOND), await begin(SECOND)];
    assert.deepEqual(await text(await begin(FIRST)), [['aa']]);
    for (const id of waiting) assert.equal((await run(id)).run_state, 'received');
    letGo();
    for (const id of waiting) assert.deepEqual(await text(id), [['bb']]);
  } finally {
    await close();
  }
});

test('runs of both models end where only one fits the memory at a time', async () => {
  const { begin, text, models, close } = await serve(1);
  try {
    const runs = await Promise.all([FIRST, SECOND, FIRST, SECOND, FIRST].map(begin));
    const texts = await Promise.all(runs.map(text));
    assert.deepEqual(texts.flat(2), ['aa', 'bb', 'aa', 'bb', 'aa']);
    assert.ok(models.log.includes('close first') || models.log.includes('close second'));
  } finally {
    await close();
  }
});

test('the next start executes the queued runs of both models', async () => {
  const store = await openTestStore();
  try {
    const before = await serve(1, { store });
    before.models.hold('first');
    before.models.hold('second');
    const runs = [await before.begin(FIRST), await before.begin(SECOND), await before.begin(SECOND)];
    for (const id of runs) assert.equal((await before.run(id)).run_state, 'received');
    const host = before.models.host.close();
    await before.it.close();
    await Promise.race([host, new Promise(setImmediate)]);
    const after = await serve(1, { store });
    const texts = await Promise.all(runs.map(after.text));
    assert.deepEqual(texts.flat(2), ['aa', 'bb', 'bb']);
    await after.close();
  } finally {
    await store.close();
  }
});
