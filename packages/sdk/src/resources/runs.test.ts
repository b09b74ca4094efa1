import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UnexpectedReplyError } from '../errors.ts';
import { replying } from '../testing/stub-fetch.ts';

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
    limit: 5,
  });
  const query = new URL(sent[0]?.url ?? '').searchParams;
  assert.deepEqual(Object.fromEntries(query), {
    limit: '5',
    skip: '0',
    order_by: 'created_at:desc',
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
