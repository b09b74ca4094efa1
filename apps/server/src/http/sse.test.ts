import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EventSource, eventStreamReply } from './sse.ts';

/** A source of so many events, which notes what happens to it. */
function countingSource(max: number): EventSource & { asked: number; readonly closed: string[] } {
  const source = {
    asked: 0,
    closed: [] as string[],
    async next() {
      source.asked++;
      return source.asked > max ? null : { id: `a-${source.asked}`, event: 'token', data: { text: 'one\ntwo' } };
    },
    close: (reason: string) => void source.closed.push(reason),
  };
  return source;
}

test('events are lines that a browser reads, and the source is closed at the end', async () => {
  const source = countingSource(2);
  const reply = eventStreamReply(source, {});
  assert.match(reply.headers.get('content-type') ?? '', /^text\/event-stream/);
  const one = (id: number): string => `id: a-${id}\nevent: token\ndata: {"text":"one\\ntwo"}\n\n`;
  assert.equal(await reply.text(), one(1) + one(2));
  assert.deepEqual(source.closed, ['ended']);
});

test('a reader that takes nothing is not read ahead for', async () => {
  const source = countingSource(1000);
  const reader = eventStreamReply(source, {}).body?.getReader();
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(source.asked < 20, String(source.asked));
  await reader?.cancel();
  assert.deepEqual(source.closed, ['gone']);
});

test('while nothing happens, comments keep the connection open', async () => {
  const source: EventSource = { next: () => new Promise(() => {}), close: () => {} };
  const reader = eventStreamReply(source, { heartbeatMs: 1 }).body?.getReader();
  const chunk = await reader?.read();
  assert.equal(new TextDecoder().decode(chunk?.value), ': still here\n\n');
  await reader?.cancel();
});

test('a source that fails breaks the stream off and is closed', async () => {
  const closed: string[] = [];
  const source: EventSource = {
    next: async () => Promise.reject(new Error('store lost')),
    close: (reason) => void closed.push(reason),
  };
  await assert.rejects(eventStreamReply(source, {}).text(), /store lost/);
  assert.deepEqual(closed, ['ended']);
});
