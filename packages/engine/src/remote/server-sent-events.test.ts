import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readServerSentEvents } from './server-sent-events.ts';

async function read(chunks: readonly Uint8Array[]): Promise<readonly string[]> {
  async function* body(): AsyncGenerator<Uint8Array> {
    yield* chunks;
  }
  const events: string[] = [];
  for await (const data of readServerSentEvents(body())) events.push(data);
  return events;
}

const STREAM = new TextEncoder().encode(
  ': comment\r\ndata: {"a":"é"}\r\n\r\nevent: x\ndata:one\ndata: two\n\nid: 3\rdata: three\r\rdata: [DONE]\n\ndata: unfinished',
);
const EVENTS = ['{"a":"é"}', 'one\ntwo', 'three', '[DONE]'];

test('events are read whatever their line ends, and wherever the chunks are cut', async () => {
  assert.deepEqual(await read([STREAM]), EVENTS);
  for (let at = 1; at < STREAM.length; at++)
    assert.deepEqual(await read([STREAM.subarray(0, at), STREAM.subarray(at)]), EVENTS, `cut at ${at}`);
  assert.deepEqual(await read([...STREAM].map((byte) => Uint8Array.of(byte))), EVENTS);
});

test('a connection that breaks is reported after the events before it', async () => {
  async function* body(): AsyncGenerator<Uint8Array> {
    yield new TextEncoder().encode('data: 1\n\n');
    throw new Error('aborted');
  }
  const events = readServerSentEvents(body());
  assert.equal((await events.next()).value, '1');
  await assert.rejects(events.next(), { name: 'RemoteFailure', kind: 'cut' });
});

test('lines of one event without an end are refused before they fill the memory', async () => {
  const chunk = new TextEncoder().encode(`data: ${'x'.repeat(2 ** 20)}\n`);
  let chunks = 0;
  async function* body(): AsyncGenerator<Uint8Array> {
    for (; chunks < 1000; chunks++) yield chunk;
  }
  const events = readServerSentEvents(body());
  await assert.rejects(events.next(), { name: 'RemoteFailure', kind: 'broken' });
  assert.ok(chunks < 100, `${chunks} MiB`);
});
