import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { engineGetSchema, GPTJ_PIPELINE_ID } from '@gptj-cloud/protocol';
import { refusal, registerAndSignIn } from '../../testing/browser.ts';
import { createFakeEngine } from '../../testing/fake-model.ts';
import { NOW, openTestApp, type TestApp } from '../../testing/test-app.ts';

let it: TestApp;
let isDown = false;
before(async () => {
  const engine = createFakeEngine();
  const stats = {
    evaluations: 1,
    busyMs: 10,
    evaluatedTokens: 5,
    batchTokens: [],
    drafts: { lookup: { drafted: 6, accepted: 4 }, model: { drafted: 10, accepted: 7 } },
    active: 3,
    waiting: 2,
    freeCells: 48,
    cacheCells: 2048,
    prefixes: 0,
    prefixLabels: [],
    oldestWaitingMs: 1234.4,
    memoryBytes: 1_000_000,
  };
  it = await openTestApp({
    generator: {
      ...engine,
      async stats() {
        if (isDown) throw new Error('the engine process ended');
        return stats;
      },
    },
  });
});
after(() => it.close());

test('a member reads the model, its load and its state', async () => {
  const member = await registerAndSignIn(it, 'percy');
  const reply = engineGetSchema.parse(await (await member.ask('/v2/engine')).json());
  assert.deepEqual(reply.model, {
    name: 'fake',
    type: 'gptj',
    quantisation: 'F32',
    layers: 28,
    context: 2048,
    vocabulary: 50400,
    loaded_in_ms: 0,
  });
  assert.deepEqual([reply.state, reply.since, reply.reason], ['ready', NOW.getTime() / 1000, null]);
  assert.deepEqual(reply.cells, { total: 2048, used: 2000 });
  assert.deepEqual([reply.active, reply.waiting, reply.oldest_waiting_ms], [3, 2, 1234]);
  assert.equal(reply.memory_bytes, 1_000_000);
  assert.equal(reply.history.interval_seconds, 5);
});

test('reports that the engine does not answer, and what is known without it', async () => {
  isDown = true;
  try {
    const reply = engineGetSchema.parse(await (await it.request('/v2/engine')).json());
    assert.deepEqual([reply.state, reply.reason], ['unavailable', 'the engine process ended']);
    assert.deepEqual([reply.cells.total, reply.cells.used, reply.active], [2048, null, null]);
    assert.equal((await it.request('/readyz')).status, 503);
  } finally {
    isDown = false;
  }
});

test('refuses tokens without the scope read', async () => {
  const owner = await registerAndSignIn(it, 'mary');
  const made: unknown = await (await owner.ask('/v2/tokens', 'POST', { scopes: ['run'] })).json();
  const authorization = `Bearer ${Reflect.get(Object(made), 'value')}`;
  assert.equal(await refusal(await it.app.request('/v2/engine', { headers: { authorization } })), '403 scope_missing');
  const run = { pipeline_id: GPTJ_PIPELINE_ID, data: ['x', { response_length: 1 }] };
  const headers = { authorization, 'content-type': 'application/json' };
  const ran = await it.app.request('/v2/runs', { method: 'POST', body: JSON.stringify(run), headers });
  assert.equal(ran.status, 200);
});
