import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '@gptj-cloud/protocol';
import { dataSource, type EventSource, eventStreamReply } from './event-stream.ts';

const decoder = new TextDecoder();
const SILENT = { heartbeatMs: 60_000 };

/** A source of `max` events that counts requests and closes. */
function countingSource(max: number): EventSource & { requested: number; readonly closed: string[] } {
  const source = {
    requested: 0,
    closed: [] as string[],
    async next() {
      source.requested++;
      if (source.requested > max) return null;
      return { id: `a-${source.requested}`, event: 'token', data: JSON.stringify({ text: 'one\ntwo' }) };
    },
    close: (reason: string) => void source.closed.push(reason),
  };
  return source;
}

test('writes id, event and data lines, and closes the source at the end', async () => {
  const source = countingSource(2);
  const reply = eventStreamReply(source, {});
  assert.match(reply.headers.get('content-type') ?? '', /^text\/event-stream/);
  const one = (id: number): string => `id: a-${id}\nevent: token\ndata: {"text":"one\\ntwo"}\n\n`;
  assert.equal(await reply.text(), one(1) + one(2));
  assert.deepEqual(source.closed, ['ended']);
});

test('does not read ahead for a client that does not read', async () => {
  const source = countingSource(1000);
  const reader = eventStreamReply(source, {}).body?.getReader();
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(source.requested < 20, String(source.requested));
  await reader?.cancel();
  assert.deepEqual(source.closed, ['gone']);
});

test('sends comments while there is no event', async () => {
  const source: EventSource = { next: () => new Promise(() => {}), close: () => {} };
  const reader = eventStreamReply(source, { heartbeatMs: 1 }).body?.getReader();
  const chunk = await reader?.read();
  assert.equal(decoder.decode(chunk?.value), ': still here\n\n');
  await reader?.cancel();
});

test('continues after comments', async () => {
  let release = (): void => {};
  const silence = new Promise<void>((resolve) => {
    release = resolve;
  });
  async function* texts() {
    await silence;
    yield 'late';
  }
  const reader = eventStreamReply(
    dataSource(texts(), () => {}),
    { heartbeatMs: 1 },
  ).body!.getReader();
  assert.equal(decoder.decode((await reader.read()).value), ': still here\n\n');
  release();
  let text = '';
  for (let part = await reader.read(); !part.done; part = await reader.read()) text += decoder.decode(part.value);
  assert.match(text, /data: late\n\n$/);
});

test('aborts the stream and closes the source when the source fails', async () => {
  const closed: string[] = [];
  const source: EventSource = {
    next: async () => Promise.reject(new Error('store lost')),
    close: (reason) => void closed.push(reason),
  };
  await assert.rejects(eventStreamReply(source, {}).text(), /store lost/);
  assert.deepEqual(closed, ['ended']);
});

test('writes the texts of a generator as one data line each', async () => {
  async function* texts() {
    yield 'one';
    yield '{"two":2}';
  }
  const source = dataSource(texts(), () => assert.fail('the client did not disconnect'));
  assert.equal(await eventStreamReply(source, SILENT).text(), 'data: one\n\ndata: {"two":2}\n\n');
});

test('does not run a generator ahead of the client', async () => {
  let made = 0;
  async function* texts() {
    for (;;) yield String(made++);
  }
  const reader = eventStreamReply(
    dataSource(texts(), () => {}),
    SILENT,
  ).body!.getReader();
  assert.equal(decoder.decode((await reader.read()).value), 'data: 0\n\n');
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(made <= 3, `${made} made`);
  await reader.cancel();
});

test('ends a generator once when the client disconnects', async () => {
  let gone = 0;
  let ended = 0;
  async function* texts() {
    try {
      for (;;) yield 'x';
    } finally {
      ended++;
    }
  }
  const reader = eventStreamReply(
    dataSource(texts(), () => gone++),
    SILENT,
  ).body!.getReader();
  await reader.read();
  await reader.cancel();
  assert.deepEqual([gone, ended], [1, 1]);
});

test('aborts the stream when a generator fails', async () => {
  async function* texts() {
    yield 'x';
    throw new Error('broken');
  }
  const reply = eventStreamReply(
    dataSource(texts(), () => {}),
    SILENT,
  );
  await assert.rejects(reply.text(), /broken/);
});

test('ends a stream whose client may no longer read it, and goes on while that cannot be asked', async () => {
  for (const [code, ends] of [
    ['token_unknown', true],
    ['internal', false],
  ] as const) {
    const source: EventSource & { readonly reasons: string[] } = {
      reasons: [],
      next: () => new Promise(() => {}),
      close: (reason) => void source.reasons.push(reason),
    };
    let asked = 0;
    const reauthorize = async (): Promise<void> => {
      if (++asked > 1) throw new ApiError(code);
    };
    const reply = eventStreamReply(source, { heartbeatMs: 60_000, reauthorize, reauthorizeMs: 1 });
    const reader = reply.body?.getReader();
    const read = reader?.read().then(
      () => 'data',
      (error: unknown) => (error instanceof ApiError ? error.code : 'other'),
    );
    while (asked < 4 && source.reasons.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    if (ends) assert.equal(await read, code);
    else await reader?.cancel();
    assert.deepEqual(source.reasons, ['gone']);
    assert.equal(asked >= 4, !ends);
  }
});
