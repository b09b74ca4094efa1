import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readServerEvents } from './read-server-events.ts';

const TEXT =
  ': still here\n\nid: a-1\nevent: run\ndata: {"text":"ä"}\n\nid: a-2\nevent: token\ndata: {"text":": x"}\n\n';
const EVENTS = [
  { id: 'a-1', event: 'run', data: '{"text":"ä"}' },
  { id: 'a-2', event: 'token', data: '{"text":": x"}' },
];

async function read(pieces: Iterable<Uint8Array>): Promise<readonly object[]> {
  async function* body(): AsyncGenerator<Uint8Array> {
    yield* pieces;
  }
  const events: object[] = [];
  for await (const event of readServerEvents(body())) events.push(event);
  return events;
}

test('events are read from a body in pieces of any size, comments are skipped', async () => {
  const bytes = new TextEncoder().encode(TEXT);
  for (const size of [1, 2, 3, 7, 50, bytes.length]) {
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
      bytes.slice(at * size, (at + 1) * size),
    );
    assert.deepEqual(await read(pieces), EVENTS);
  }
});

test('an event that is not finished is dropped, one that is too long is refused', async () => {
  assert.deepEqual(await read([new TextEncoder().encode(TEXT.slice(0, -1))]), EVENTS.slice(0, 1));
  const endless = Array.from({ length: 20 }, () => new Uint8Array(2 ** 20).fill(97));
  await assert.rejects(read(endless), RangeError);
});
