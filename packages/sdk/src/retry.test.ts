import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionFailedError, PipelineApiError, RateLimitedError, ServerError } from './errors.ts';
import { pause, retryWaitMs } from './retry.ts';
import { FAILED, PIPELINE, RUN, type Stub, stub } from './testing/stub-fetch.ts';

/** Replies in order; null breaks the connection. Delays are 0, by Retry-After or by a random number of 0. */
function flaky(replies: readonly (Response | null)[], maxRetries = 2): Stub {
  return stub(
    (_, count) => {
      const reply = replies[count];
      if (reply === undefined) throw new Error(`request ${count} was not expected`);
      if (reply === null) throw new TypeError('fetch failed');
      return reply;
    },
    { maxRetries },
  );
}

const now = { 'retry-after': '0' };
const good = (): Response => Response.json(RUN);
const busy = (status: number): Response => Response.json({ detail: 'busy' }, { status, headers: now });

test('retries after 429, 503 and a broken connection, with random delays up to a doubling limit', () => {
  const lost = new ConnectionFailedError('lost');
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5, 50].map((count) => retryWaitMs(lost, count, 0.5)),
    [250, 500, 1000, 2000, 4000, 4000, 4000],
  );
  assert.equal(retryWaitMs(lost, 3, 0), 0);
  assert.equal(retryWaitMs(new ServerError('x', null, { status: 503 }), 0, 0.5), 250);
  assert.equal(retryWaitMs(new ServerError('x', null, { status: 500 }), 0, 0.5), null);
  assert.equal(retryWaitMs(new PipelineApiError('x'), 0, 0.5), null);
  assert.equal(retryWaitMs(new Error('x'), 0, 0.5), null);
});

test('waits at least Retry-After, and does not retry when that is more than a minute', () => {
  const limited = (retryAfterMs: number) => new RateLimitedError('x', retryAfterMs);
  assert.equal(retryWaitMs(limited(3000), 5, 0), 3000);
  assert.equal(retryWaitMs(limited(3000), 0, 0.5), 3150);
  assert.equal(retryWaitMs(limited(60_000), 0, 0), 60_000);
  assert.equal(retryWaitMs(limited(60_001), 0, 0), null);
});

test('retries a run under the same idempotency key, with a new key for every call', async (t) => {
  t.mock.method(Math, 'random', () => 0);
  const { api, sent } = flaky([busy(429), busy(503), good(), null, good()]);
  assert.equal((await api.runPipeline(PIPELINE, ['Once', {}])).id, 'run_1');
  await api.startRun(PIPELINE, ['Once', {}]);
  const keys = sent.map(({ headers }) => headers.get('idempotency-key') ?? '');
  assert.match(keys[0] ?? '', /^sdk-[0-9a-f]{32}$/);
  assert.equal(new Set(keys.slice(0, 3)).size, 1);
  assert.equal(new Set(keys).size, 2);
  assert.equal(keys[3], keys[4]);
  const own = flaky([good()]);
  await own.api.runPipeline(PIPELINE, ['Once', {}], { idempotencyKey: 'mine' });
  assert.equal(own.sent[0]?.headers.get('idempotency-key'), 'mine');
});

test('retries at most maxRetries times and throws the last error', async () => {
  const three = flaky([busy(503), busy(503), busy(429)]);
  await assert.rejects(three.api.getRun('x'), RateLimitedError);
  assert.equal(three.sent.length, 3);
  const none = flaky([busy(503)], 0);
  await assert.rejects(none.api.getRun('x'), ServerError);
  const other = flaky([busy(500)]);
  await assert.rejects(other.api.getRun('x'), ServerError);
});

test('retries after a connection that breaks within the body', async (t) => {
  t.mock.method(Math, 'random', () => 0);
  const cut = new Response(new ReadableStream({ start: (c) => c.error(new TypeError('terminated')) }));
  const { api, sent } = flaky([cut, good()]);
  await api.runPipeline(PIPELINE, ['Once', {}]);
  assert.equal(sent.length, 2);
});

test('never retries a request that is not idempotent', async () => {
  for (const call of [
    ({ api }: Stub) => api.tokens.create({}),
    ({ api }: Stub) => api.plans.change('developer'),
    ({ api }: Stub) => api.tags.create({ name: 'a/b:c', pipeline: PIPELINE }),
  ]) {
    const once = flaky([busy(503)]);
    await assert.rejects(call(once), ServerError);
    assert.equal(once.sent.length, 1);
  }
});

test('retries a cancellation, and takes 404 after a lost reply of a deletion as success', async (t) => {
  t.mock.method(Math, 'random', () => 0);
  const cancel = flaky([busy(503), Response.json(FAILED)]);
  assert.equal((await cancel.api.cancelRun('run_1')).runState, 'failed');
  const missing = (): Response => Response.json({ detail: { message: 'no run' } }, { status: 404 });
  await flaky([null, missing()]).api.deleteRun('run_1');
  await assert.rejects(flaky([missing()]).api.deleteRun('run_1'), { name: 'NotFoundError' });
  await assert.rejects(flaky([busy(503), missing()]).api.deleteRun('run_1'), { name: 'NotFoundError' });
});

test('names error, time and number of a retry before it waits, and nothing of the last error', async (t) => {
  t.mock.method(Math, 'random', () => 0);
  const notices: unknown[] = [];
  const { api } = stub(() => busy(503), {
    maxRetries: 2,
    onRetry: ({ error, ...rest }) => notices.push([error.status, rest]),
  });
  await assert.rejects(api.getRun('x'), ServerError);
  await assert.rejects(api.streamPipeline(PIPELINE, ['Once', {}])[Symbol.asyncIterator]().next(), ServerError);
  const both = [1, 2].map((retry) => [503, { waitMs: 0, retry, maxRetries: 2 }]);
  assert.deepEqual(notices, [...both, ...both]);
});

test('ends the delay before a retry when the signal aborts', async () => {
  const controller = new AbortController();
  const reason = new Error('enough');
  const { api, sent } = flaky([Response.json({}, { status: 429, headers: { 'retry-after': '50' } })]);
  const call = api.getRun('x', { signal: controller.signal });
  await new Promise((resolve) => setImmediate(resolve));
  controller.abort(reason);
  await assert.rejects(call, (error) => error === reason);
  assert.equal(sent.length, 1);
  await assert.rejects(pause(50_000, controller.signal), (error) => error === reason);
});
