import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GPTJ_PIPELINE_ID } from '@gptj-cloud/protocol';
import { ensureApiKey } from '../identity/api-keys/api-key-store.ts';
import { createFakeEngine } from '../testing/fake-model.ts';
import { serveComposition } from '../testing/serve-composition.ts';
import { openTestApp, TOKEN } from '../testing/test-app.ts';
import { openTestStore } from '../testing/test-store.ts';

const REQUEST = { pipeline_id: GPTJ_PIPELINE_ID, data: ['four', { response_length: 20 }], stream: true };

test('a client that reads slowly gets the end of its run after the server has drained', async () => {
  const it = await openTestApp();
  const reply = await it.post('/v2/runs', REQUEST);
  await it.close();
  assert.match(await reply.text(), /"run_state":"complete"/);
});

test('the same of a server that shares its store', async () => {
  const store = await openTestStore();
  try {
    await ensureApiKey(store.db, { environmentToken: TOKEN, now: new Date() });
    const engine = createFakeEngine();
    const server = await serveComposition({ store, engine, timing: { leaseMs: 600_000, heartbeatMs: 5, pollMs: 5 } });
    const reply = await server.composition.app.request('/v2/runs', {
      method: 'POST',
      body: JSON.stringify(REQUEST),
      headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` },
    });
    await server.composition.drain(30_000);
    await server.close();
    assert.match(await reply.text(), /"run_state":"complete"/);
  } finally {
    await store.close();
  }
});
