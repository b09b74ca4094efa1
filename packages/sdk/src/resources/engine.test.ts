import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replying } from '../testing/stub-fetch.ts';

const MODEL = {
  name: 'gptj-nano',
  type: 'gptj',
  quantisation: 'Q8_0',
  layers: 4,
  context: 2048,
  vocabulary: 50400,
  loaded_in_ms: 7,
};

test('reads the load of the engine, and nulls while it does not answer', async () => {
  const { api, sent } = replying({
    pipeline_id: 'pipeline_1',
    model: MODEL,
    state: 'unavailable',
    since: 5,
    reason: 'the engine process ended',
    memory_bytes: null,
    cells: { total: 8192, used: null },
    active: null,
    waiting: null,
    oldest_waiting_ms: null,
    tokens_per_second: 0,
    history: {
      interval_seconds: 5,
      samples: [{ at: 1, tokens_per_second: 12.5, busy: 0.5, active: 1, waiting: 0 }],
    },
    models: [
      {
        name: 'gptj-nano',
        pipeline_id: 'pipeline_1',
        context: 2048,
        state: 'loading',
        progress: 0.5,
        quantisation: 'Q8_0',
        since: 7,
        reason: null,
        planned_bytes: 400,
        running: 0,
        waiting: 2,
      },
    ],
  });
  const engine = await api.engine.get();
  await api.engine.get({ model: 'a b' });
  assert.deepEqual(
    sent.map(({ url }) => url),
    ['http://host:1/base/v2/engine', 'http://host:1/base/v2/engine?model=a%20b'],
  );
  const [model] = engine.models;
  assert.deepEqual([model?.state, model?.progress, model?.since, model?.waiting], ['loading', 0.5, new Date(7000), 2]);
  assert.deepEqual(
    [engine.state, engine.since.getTime(), engine.cells],
    ['unavailable', 5000, { total: 8192, used: null }],
  );
  assert.equal(engine.model.loadedInMs, 7);
  assert.deepEqual(engine.history.samples, [
    { at: new Date(1000), tokensPerSecond: 12.5, busy: 0.5, active: 1, waiting: 0 },
  ]);
});
