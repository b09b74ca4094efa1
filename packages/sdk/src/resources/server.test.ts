import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replying } from '../testing/stub-fetch.ts';

test('reads what a server is and what signing in needs there', async () => {
  const { api, sent } = replying({
    name: 'gptj-cloud',
    version: '0.1.0',
    model: 'gptj-nano',
    context: 2048,
    models: [{ name: 'gptj-nano', pipeline_id: 'pipeline_1', context: 2048, state: 'loaded', progress: null }],
    registration: 'invited',
    verify_required: true,
    mail: false,
    providers: ['github'],
    set_up_needed: false,
    maintenance: { message: 'New disks until noon.', since: 5 },
  });
  const server = await api.server.get();
  assert.equal(sent[0]?.url, 'http://host:1/base/v2/server');
  assert.deepEqual(
    [server.registration, server.verifyRequired, server.mail, server.providers, server.setUpNeeded],
    ['invited', true, false, ['github'], false],
  );
  assert.deepEqual(server.models, [
    { name: 'gptj-nano', pipelineId: 'pipeline_1', context: 2048, state: 'loaded', progress: null },
  ]);
  assert.deepEqual(server.maintenance, { message: 'New disks until noon.', since: new Date(5000) });
});

test('a server that replies 503 is not ready, and another refusal is thrown', async () => {
  assert.equal(await replying({ status: 'ready' }).api.server.isReady(), true);
  assert.equal(
    await replying({ status: 'not ready', reasons: ['engine'] }, { status: 503 }).api.server.isReady(),
    false,
  );
  await assert.rejects(replying({}, { status: 500 }).api.server.isReady(), { name: 'ServerError' });
});
