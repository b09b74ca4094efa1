import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replying, stub } from '../testing/stub-fetch.ts';

const PULL = {
  id: 'pull_1',
  from: 'gpt-j-6b',
  name: null,
  type: null,
  state: 'running',
  phase: 'downloading',
  done_bytes: 5,
  total_bytes: 10,
  bytes_per_second: 5,
  seconds_left: 1,
  source: { kind: 'hub', from: 'EleutherAI/gpt-j-6b', revision: 'float16', commit: 'c' },
  plan: { type: 'q8_0', reason: 'it fits', file_bytes: 6 },
  waiting: null,
  warnings: [],
  error: null,
  model: null,
  started_at: 1,
  ended_at: null,
};

test('models are listed with the space that is left, and deleted by name', async () => {
  const model = {
    name: 'gpt-j-6b',
    type: 'q8_0',
    size_bytes: 6,
    checksum: 'aa',
    source: PULL.source,
    stored_at: '2026-01-01T00:00:00Z',
    is_served: true,
  };
  const list = replying({ data: [model], disk: { free_bytes: 1, total_bytes: 2 } });
  const { models, disk } = await list.api.models.list();
  assert.deepEqual([models[0]?.isServed, models[0]?.sizeBytes, disk.freeBytes], [true, 6, 1]);
  const gone = replying({ removed: ['a/b.f16'], freed_bytes: 9 });
  assert.deepEqual(await gone.api.models.delete('a/b.f16'), { removed: ['a/b.f16'], freedBytes: 9 });
  assert.deepEqual([gone.sent[0]?.method, gone.sent[0]?.url.endsWith('/v2/admin/models/a%2Fb.f16')], ['DELETE', true]);
});

test('a model is served, listed and served no longer', async () => {
  const serving = {
    name: 'small',
    model: 'gpt-j-6b.q8_0',
    pipeline_id: 'pipeline_1',
    tags: ['small:latest'],
    from: 'store',
    state: 'unloaded',
    reason: null,
    adapters: ['a'],
    planned_bytes: 9,
    running: 0,
    waiting: 0,
    created_at: 1,
  };
  const { api, sent } = replying(serving);
  const served = await api.models.serve({ model: 'gpt-j-6b', name: 'small' });
  assert.deepEqual([served.pipelineId, served.plannedBytes, served.createdAt?.getTime()], ['pipeline_1', 9, 1000]);
  await api.models.stopServing('a b');
  assert.deepEqual(
    sent.map(({ method, url, body }) => [method, new URL(url).pathname.replace('/base', ''), body]),
    [
      ['POST', '/v2/admin/models/served', { model: 'gpt-j-6b', name: 'small' }],
      ['DELETE', '/v2/admin/models/served/a%20b', null],
    ],
  );
  const { api: listing } = replying({ data: [serving] });
  assert.deepEqual(
    (await listing.models.served()).map(({ name }) => name),
    ['small'],
  );
});

test('a pull is started, read and cancelled', async () => {
  const { api, sent } = replying(PULL);
  const pull = await api.models.pull({ from: 'gpt-j-6b', type: 'q8_0' });
  assert.deepEqual([pull.doneBytes, pull.secondsLeft, pull.plan?.fileBytes, pull.startedAt.getTime()], [5, 1, 6, 1000]);
  assert.deepEqual(sent[0]?.body, { from: 'gpt-j-6b', type: 'q8_0' });
  await api.models.getPull('pull_1');
  await api.models.cancelPull('pull_1');
  assert.deepEqual(
    sent.map(({ method, url }) => `${method} ${new URL(url).pathname.replace('/base', '')}`),
    ['POST /v2/admin/models/pulls', 'GET /v2/admin/models/pulls/pull_1', 'POST /v2/admin/models/pulls/pull_1/cancel'],
  );
  assert.equal((await replying({ data: [PULL] }).api.models.pulls()).length, 1);
});

test('a pull is followed to its end, over a dropped connection', async () => {
  const event = (fields: object): string => `event: pull\ndata: ${JSON.stringify({ ...PULL, ...fields })}\n\n`;
  let connections = 0;
  const { api } = stub(
    () => {
      connections++;
      const body =
        connections === 1
          ? event({ done_bytes: 6 })
          : event({ done_bytes: 8 }) + event({ state: 'stored', model: 'm.q8_0' });
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
    },
    { maxRetries: 1 },
  );
  const seen: string[] = [];
  for await (const { state, doneBytes } of api.models.followPull('pull_1')) seen.push(`${state} ${doneBytes}`);
  assert.deepEqual([connections, seen], [2, ['running 6', 'running 8', 'stored 5']]);
});
