import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionFailedError, RunFailedError, StreamInterruptedError, UnexpectedReplyError } from './errors.ts';
import { eventStream, FAILED, PIPELINE, RUN, RUNNING, stub } from './testing/stub-fetch.ts';

const token = (text: string, index = 0) => ({ index, text, tokens: [text.length] });

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

test('yields the accepted run, its tokens and the ended run, and skips unknown events', async () => {
  const { api, sent } = stub(() =>
    eventStream([
      ['a-1', 'run', RUNNING],
      ['a-2', 'token', token('two ')],
      ['a-3', 'weather', { sunny: true }],
      [
        'a-4',
        'token',
        {
          ...token('é🦙', 1),
          logprobs: [{ token: 3, text: 'é🦙', logprob: -1, top: [[7, null, 'x']] }],
        },
      ],
      ['a-5', 'beams', { step: 0, candidates: [{ parent: 0, token: 9, text: 'b', score: -0.5, kept: true }] }],
      ['a-6', 'run', RUN],
    ]),
  );
  const stream = api.streamPipeline(PIPELINE, ['I met', {}]);
  assert.equal(sent.length, 0);
  const events = await collect(stream);
  assert.deepEqual(
    events.map((event) => (event.type === 'run' ? event.run.runState : event)),
    [
      'running',
      { type: 'token', index: 0, text: 'two ', tokens: [4] },
      {
        type: 'token',
        index: 1,
        text: 'é🦙',
        tokens: [3],
        logprobs: [{ token: 3, text: 'é🦙', logprob: -1, top: [{ token: 7, text: 'x', logprob: null }] }],
      },
      { type: 'beams', step: 0, candidates: [{ parent: 0, token: 9, text: 'b', score: -0.5, kept: true }] },
      'complete',
    ],
  );
  assert.deepEqual(sent[0]?.body, { pipeline_id: PIPELINE, data: ['I met', {}], stream: true, async_run: false });
  assert.equal(sent[0]?.headers.get('accept'), 'text/event-stream');
  assert.ok(sent[0]?.headers.has('idempotency-key'));
  await assert.rejects(collect({ [Symbol.asyncIterator]: () => stream[Symbol.asyncIterator]() }), TypeError);
  assert.throws(() => stream.texts(), TypeError);
  assert.equal(sent.length, 1);
});

test('ends the request when the loop is left early', async () => {
  let cancelled = 0;
  const { api, sent } = stub(() =>
    eventStream(
      [
        ['a-1', 'run', RUNNING],
        ['a-2', 'token', token('x')],
        ['a-3', 'token', token('y')],
      ],
      { onCancel: () => cancelled++ },
    ),
  );
  for await (const text of api.streamPipeline(PIPELINE, ['Once', {}]).texts()) {
    assert.equal(text, 'x');
    break;
  }
  assert.equal(cancelled, 1);
  assert.equal(sent[0]?.init.signal?.aborted, true);
});

test('ends a stream with the reason of the signal', async () => {
  const controller = new AbortController();
  const reason = new Error('enough');
  const { api } = stub(({ init }) => {
    const body = new ReadableStream<Uint8Array>({
      start(c) {
        c.enqueue(new TextEncoder().encode(`event: token\ndata: ${JSON.stringify(token('x'))}\n\n`));
        init.signal?.addEventListener('abort', () => c.error(init.signal?.reason));
      },
    });
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  });
  const texts = api.streamPipeline(PIPELINE, ['Once', {}], { signal: controller.signal }).texts();
  await assert.rejects(
    async () => {
      for await (const _ of texts) controller.abort(reason);
    },
    (error) => error === reason,
  );
});

test('does not count the time of a slow reader as silence of the server', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { api, sent } = stub(
    () =>
      eventStream([
        ['a-1', 'run', RUNNING],
        ['a-2', 'token', token('x')],
        ['a-3', 'run', RUN],
      ]),
    { timeoutMs: 1000 },
  );
  let events = 0;
  for await (const _ of api.streamPipeline(PIPELINE, ['Once', {}])) {
    t.mock.timers.tick(5000);
    assert.equal(sent[0]?.init.signal?.aborted, false);
    events++;
  }
  assert.equal(events, 3);
});

test('resumes a dropped stream with keepRunning after the last event', async (t) => {
  t.mock.method(Math, 'random', () => 0);
  const { api, sent } = stub(
    (_, count) => {
      if (count === 0) {
        return eventStream(
          [
            ['a-1', 'run', RUNNING],
            ['a-2', 'token', token('two ')],
          ],
          { isCut: true },
        );
      }
      // A connection that ends without an error before the run has ended counts as dropped.
      if (count === 1) return eventStream([['a-3', 'token', token('vast ')]]);
      if (count === 2) return Response.json({ detail: 'busy' }, { status: 503 });
      return eventStream([
        ['a-4', 'token', token('legs')],
        ['a-5', 'run', RUN],
      ]);
    },
    { maxRetries: 1 },
  );
  const texts = await collect(api.streamPipeline(PIPELINE, ['Once', {}], { keepRunning: true }).texts());
  assert.equal(texts.join(''), 'two vast legs');
  assert.deepEqual(
    sent.map(({ method, url, headers }) => [
      method,
      url.slice('http://host:1/base'.length),
      headers.get('last-event-id'),
    ]),
    [
      ['POST', '/v2/runs', null],
      ['GET', '/v2/runs/run_1/events', 'a-2'],
      ['GET', '/v2/runs/run_1/events', 'a-3'],
      ['GET', '/v2/runs/run_1/events', 'a-3'],
    ],
  );
});

test('replaces at most maxRetries dropped connections in a row, and none without keepRunning', async (t) => {
  t.mock.method(Math, 'random', () => 0);
  const cut = stub(() => eventStream([], { isCut: true }), { maxRetries: 2 });
  await assert.rejects(collect(cut.api.followRun('run_1')), ConnectionFailedError);
  assert.equal(cut.sent.length, 3);
  const again = stub(() => eventStream([['a-1', 'run', RUNNING]], { isCut: true }), { maxRetries: 2 });
  await assert.rejects(collect(again.api.followRun('run_1')), ConnectionFailedError);
  assert.equal(again.sent.length, 3);
  const bound = stub(() => eventStream([['a-1', 'run', RUNNING]], { isCut: true }), { maxRetries: 2 });
  await assert.rejects(collect(bound.api.streamPipeline(PIPELINE, ['Once', {}])), ConnectionFailedError);
  assert.equal(bound.sent.length, 1);
});

test('throws an error event with its code and the id of the run', async () => {
  const { api } = stub(() =>
    eventStream([
      ['a-1', 'run', RUNNING],
      ['a-2', 'error', { code: 'reader_too_slow', message: 'read too slowly' }],
    ]),
  );
  await assert.rejects(
    collect(api.streamPipeline(PIPELINE, ['Once', {}])),
    (error) => error instanceof StreamInterruptedError && error.code === 'reader_too_slow' && error.runId === 'run_1',
  );
});

test('texts() throws for a failed run and for a restart after text was returned', async () => {
  const failing = stub(() => eventStream([['a-1', 'run', FAILED]]));
  await assert.rejects(collect(failing.api.streamPipeline(PIPELINE, ['Once', {}]).texts()), RunFailedError);
  const restarted = stub(() =>
    eventStream([
      ['a-1', 'run', RUNNING],
      ['a-2', 'token', token('x')],
      ['a-3', 'run', RUNNING],
    ]),
  );
  await assert.rejects(
    collect(restarted.api.streamPipeline(PIPELINE, ['Once', {}]).texts()),
    (error) => error instanceof StreamInterruptedError && error.code === 'generation_restarted',
  );
});

test('throws UnexpectedReplyError for a reply that is not an event stream and for unknown data', async () => {
  const html = stub(() => new Response('<html>', { headers: { 'content-type': 'text/html' } }));
  await assert.rejects(collect(html.api.streamPipeline(PIPELINE, ['Once', {}])), UnexpectedReplyError);
  assert.equal(html.sent[0]?.init.signal?.aborted, true);
  for (const data of ['x', { index: 0 }, [1], { index: 0, text: 'x', tokens: ['y'] }]) {
    const wrong = stub(() => eventStream([['a-1', 'token', data]]));
    await assert.rejects(collect(wrong.api.streamPipeline(PIPELINE, ['Once', {}])), UnexpectedReplyError);
  }
});
