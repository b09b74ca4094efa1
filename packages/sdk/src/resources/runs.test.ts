import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AuthenticationError, UnexpectedReplyError } from '../errors.ts';
import { replying, stub } from '../testing/stub-fetch.ts';

const SUMMARY = {
  id: 'run_1',
  created_at: 1,
  started_at: 2,
  ended_at: null,
  run_state: 'running',
  pipeline_id: 'pipeline_1',
  prompt_head: 'Once',
  output_head: null,
  token_id: 'token_1',
  token_name: 'ci',
  error: null,
  exception: null,
  usage: null,
  timings: { queued_ms: 3, first_token_ms: null, compute_ms: null },
  cost: { amount: '0.004', currency: 'USD' },
  seed: 7,
  attempts: 1,
  async_run: true,
};
const PAGE = { skip: 0, limit: 20, total: 1, data: [SUMMARY], next_cursor: '1.2.run_1' };

test('lists summaries with every filter', async () => {
  const { api, sent } = replying(PAGE);
  const page = await api.runs.summaries({
    q: 'a&b',
    tokenId: 'session',
    states: ['running', 'failed'],
    createdAfter: new Date(0),
    order: 'slowest',
    limit: 5,
  });
  const query = new URL(sent[0]?.url ?? '').searchParams;
  assert.deepEqual(Object.fromEntries(query), {
    limit: '5',
    skip: '0',
    order_by: 'compute_time_ms:desc',
    view: 'summary',
    q: 'a&b',
    token_id: 'session',
    state: 'running,failed',
    created_after: '1970-01-01T00:00:00.000Z',
  });
  const [run] = page.items;
  assert.deepEqual([run?.promptHead, run?.outputHead, run?.tokenName, run?.asyncRun], ['Once', null, 'ci', true]);
  assert.deepEqual(run?.timings, { queuedMs: 3, firstTokenMs: null, computeMs: null });
  assert.deepEqual(run?.cost, { amount: '0.004', currency: 'USD' });
  assert.equal(page.nextCursor, '1.2.run_1');
});

test('reads the input of a run, whose prompt is a text or token ids', async () => {
  const text = replying({ prompt: 'hi', parameters: { top_k: 1 } });
  assert.deepEqual(await text.api.runs.input('run_1/x'), { prompt: 'hi', parameters: { top_k: 1 } });
  assert.equal(new URL(text.sent[0]?.url ?? '').pathname, '/base/v2/runs/run_1%2Fx/input');
  assert.deepEqual((await replying({ prompt: [1, 2], parameters: {} }).api.runs.input('run_1')).prompt, [1, 2]);
  await assert.rejects(replying({ prompt: null, parameters: {} }).api.runs.input('run_1'), UnexpectedReplyError);
});

test('reports changes, and connects again when the stream ends', async () => {
  const bodies = [
    `event: resync\ndata: {}\n\nevent: run\ndata: ${JSON.stringify(SUMMARY)}\n\nevent: later\ndata: {}\n\n`,
    'event: resync\ndata: {}\n\nevent: deleted\ndata: {"id":"run_1"}\n\n',
  ];
  const headers = { 'content-type': 'text/event-stream' };
  const { api, sent } = stub(() => new Response(bodies.shift(), { headers }));
  const connections: boolean[] = [];
  const reported: string[] = [];
  for await (const change of api.runs.changes({ onConnection: (isConnected) => connections.push(isConnected) })) {
    reported.push(change.type === 'run' ? change.run.id : change.type === 'deleted' ? `no ${change.id}` : change.type);
    if (reported.length === 4) break;
  }
  assert.deepEqual(reported, ['resync', 'run_1', 'resync', 'no run_1']);
  assert.deepEqual(connections, [true, false, true]);
  assert.deepEqual(
    sent.map(({ url }) => new URL(url).pathname),
    ['/base/v2/events', '/base/v2/events'],
  );
});

test('throws the refusal of a stream of changes', async () => {
  const refused = replying({ detail: { code: 'session_ended', message: 'sign in' } }, { status: 401 });
  await assert.rejects(refused.api.runs.changes().next(), AuthenticationError);
});
