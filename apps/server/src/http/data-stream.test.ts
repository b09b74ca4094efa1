import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataStreamReply } from './data-stream.ts';

const decoder = new TextDecoder();

test('data come one line each, in order', async () => {
  async function* source() {
    yield 'one';
    yield '{"two":2}';
  }
  const reply = dataStreamReply(source(), { heartbeatMs: 60_000, onGone: () => assert.fail('nobody left') });
  assert.equal(await reply.text(), 'data: one\n\ndata: {"two":2}\n\n');
});

test('a reader that takes nothing is sent nothing: the source waits', async () => {
  let made = 0;
  async function* source() {
    for (;;) yield String(made++);
  }
  const reader = dataStreamReply(source(), { heartbeatMs: 60_000, onGone: () => {} }).body!.getReader();
  const first = await reader.read();
  assert.equal(decoder.decode(first.value), 'data: 0\n\n');
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(made <= 3, `${made} made`);
  await reader.cancel();
});

test('a reader that leaves ends the source, once', async () => {
  let gone = 0;
  let ended = 0;
  async function* source() {
    try {
      for (;;) yield 'x';
    } finally {
      ended++;
    }
  }
  const reader = dataStreamReply(source(), { heartbeatMs: 60_000, onGone: () => gone++ }).body!.getReader();
  await reader.read();
  await reader.cancel();
  assert.deepEqual([gone, ended], [1, 1]);
});

test('comments keep a silent stream open', async () => {
  let release = (): void => {};
  const silence = new Promise<void>((resolve) => {
    release = resolve;
  });
  async function* source() {
    await silence;
    yield 'late';
  }
  const reader = dataStreamReply(source(), { heartbeatMs: 1, onGone: () => {} }).body!.getReader();
  assert.equal(decoder.decode((await reader.read()).value), ': still here\n\n');
  release();
  let text = '';
  for (let part = await reader.read(); !part.done; part = await reader.read()) text += decoder.decode(part.value);
  assert.match(text, /data: late\n\n$/);
});

test('a source that fails breaks the reply off', async () => {
  async function* source() {
    yield 'x';
    throw new Error('broken');
  }
  const reply = dataStreamReply(source(), { heartbeatMs: 60_000, onGone: () => {} });
  await assert.rejects(reply.text(), /broken/);
});
