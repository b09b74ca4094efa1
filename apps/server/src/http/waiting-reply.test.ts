import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { waitingReply } from './waiting-reply.ts';

const OPTIONS = { headerDelayMs: 1000, spaceIntervalMs: 5000 };

beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'setInterval'] }));
afterEach(() => mock.timers.reset());

function deferred() {
  let resolve: (value: unknown) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

/** A reply whose headers were sent before its outcome. */
async function lateReply(promise: Promise<unknown>): Promise<ReadableStreamDefaultReader<Uint8Array>> {
  const reply = waitingReply(promise, OPTIONS);
  mock.timers.tick(1000);
  const { status, body } = await reply;
  assert.equal(status, 200);
  assert.ok(body !== null);
  return body.getReader();
}

const text = async (reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> =>
  new TextDecoder().decode((await reader.read()).value);

test('sends an early outcome as plain JSON, and throws an early error', async () => {
  const reply = await waitingReply(Promise.resolve({ a: 1 }), OPTIONS);
  assert.equal(reply.headers.get('content-type'), 'application/json');
  assert.equal(await reply.text(), '{"a":1}');
  await assert.rejects(waitingReply(Promise.reject(new Error('no')), OPTIONS), /no/);
});

test('sends a space every interval before a late outcome', async () => {
  const { promise, resolve } = deferred();
  const reader = await lateReply(promise);
  assert.equal(await text(reader), ' ');
  for (let i = 0; i < 3; i++) {
    mock.timers.tick(5000);
    assert.equal(await text(reader), ' ');
  }
  resolve({ a: 1 });
  assert.equal(await text(reader), '{"a":1}');
  assert.equal((await reader.read()).done, true);
});

test('sends no more spaces to a client that does not read', async () => {
  const { promise, resolve } = deferred();
  const reader = await lateReply(promise);
  mock.timers.tick(5000 * 1000);
  resolve(1);
  await promise;
  assert.deepEqual([await text(reader), await text(reader)], [' ', '1']);
});

test('aborts the reply at a late failure', async () => {
  const { promise, reject } = deferred();
  const reader = await lateReply(promise);
  reject(new Error('store failed'));
  await assert.rejects(async () => {
    while (!(await reader.read()).done);
  }, /store failed/);
});

test('stops the spaces but still awaits the outcome when the client disconnects', async () => {
  const { promise, resolve } = deferred();
  const reader = await lateReply(promise);
  await reader.cancel();
  mock.timers.tick(50_000);
  resolve({ a: 1 });
  assert.deepEqual(await promise, { a: 1 });
});
