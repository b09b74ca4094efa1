/** A run that no slot is free for is claimed by a process that would not have polled for a long time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GPTJ_PIPELINE_ID, runGetSchema } from '@gptj-cloud/protocol';
import { ensureApiKey } from '../identity/api-keys/api-key-store.ts';
import { openPostgres } from '../store/postgres.ts';
import { createScriptedEngine } from '../testing/scripted-engine.ts';
import { serveComposition } from '../testing/serve-composition.ts';
import { createScratchDatabase, WITHOUT_POSTGRES } from '../testing/test-store.ts';

const TOKEN = 'test-token-0123456789';
const HEADERS = { authorization: `Bearer ${TOKEN}` };

test('a waiting run is claimed by another process at a hint', { skip: WITHOUT_POSTGRES }, async () => {
  const database = await createScratchDatabase();
  const store = await openPostgres(database.url);
  await ensureApiKey(store.db, { environmentToken: TOKEN, now: new Date() });
  const held = new Promise<void>(() => {});
  const busy = createScriptedEngine(() => ({ sequences: [[120]], pause: () => held }));
  const free = createScriptedEngine(() => ({ sequences: [[120]] }));
  const timing = { leaseMs: 3_000, heartbeatMs: 1_000, pollMs: 600_000 };
  const [a, b] = [
    await serveComposition({ store, engine: busy, timing }),
    await serveComposition({ store, engine: free, timing }),
  ];
  try {
    const submit = async (asynchronous: boolean) => {
      const body = { pipeline_id: GPTJ_PIPELINE_ID, data: ['hi', { response_length: 1 }], async_run: asynchronous };
      const reply = await fetch(`${a.url}/v2/runs`, { method: 'POST', headers: HEADERS, body: JSON.stringify(body) });
      return runGetSchema.parse(await reply.json());
    };
    await submit(true);
    const { id } = await submit(true);
    const events = await fetch(`${b.url}/v2/runs/${id}/events`, { headers: HEADERS });
    assert.match(await events.text(), /"run_state":"complete"/);
    assert.equal(free.requests.length, 1);
  } finally {
    await Promise.all([a.close(), b.close()]);
    await store.close();
    await database.drop();
  }
});
