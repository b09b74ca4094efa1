/** Readers that stop reading, on real sockets: they cost the buffer of a socket, delay no other client, and are cut off. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import { GPTJ_PIPELINE_ID, type RunGet, runGetSchema, runPageSchema } from '@gptj-cloud/protocol';
import { type Listener, type ListenTimeouts, listen } from '../http/listen.ts';
import { byteTokenizer } from '../testing/fake-model.ts';
import { createScriptedEngine, type ScriptedEngine } from '../testing/scripted-engine.ts';
import { openTestApp, type TestApp, TOKEN } from '../testing/test-app.ts';
import { until } from '../testing/until.ts';

/** The text of one token is so long that a generation exceeds the buffers of sockets by far. */
const TOKEN_BYTES = 4096;
const SEQUENCES = 3;
const LENGTH = 2000;
const EVENTS = SEQUENCES * LENGTH;
/** More than the buffers of both sockets, less than a whole generation. */
const HELD_EVENTS = 4000;

const TIMEOUTS: ListenTimeouts = {
  headersMs: 60_000,
  requestMs: 60_000,
  idleMs: 60_000,
  keepAliveMs: 60_000,
  checkEveryMs: 60_000,
};

let it: TestApp;
let engine: ScriptedEngine;
/** Awaited before each token. */
let pause: (token: number) => Promise<void> | null = () => null;
const open: { close(): Promise<void> | void }[] = [];
before(async () => {
  const word = new Uint8Array(TOKEN_BYTES).fill(0x78);
  engine = createScriptedEngine(({ config }) => ({
    sequences: Array.from({ length: config.numReturnSequences }, () => new Array<number>(LENGTH).fill(1)),
    pause: (token) => pause(token),
  }));
  it = await openTestApp({
    generator: engine,
    // Results are short, streams are long.
    tokenizer: { ...byteTokenizer, decode: () => 'x', tokenBytes: () => word },
    queue: { running: 4, waiting: 4 },
  });
});
after(() => it.close());
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function listenFor(timeouts: Partial<ListenTimeouts> = {}): Promise<Listener> {
  const address = { host: '127.0.0.1', port: 0 };
  const listener = await listen((request, peer) => it.app.fetch(request, { peer }), address, {
    ...TIMEOUTS,
    ...timeouts,
  });
  open.push(listener);
  return listener;
}

const RUN = {
  pipeline_id: GPTJ_PIPELINE_ID,
  data: ['p', { response_length: LENGTH, num_return_sequences: SEQUENCES, do_sample: true }],
  stream: true,
};
const COMPLETION = { model: 'scripted', prompt: 'p', max_tokens: LENGTH, n: SEQUENCES, stream: true };

/** Send a request without reading its reply. */
async function askAndStall({ port }: Listener, path: string, body: object): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  open.push({ close: () => void socket.destroy() });
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.pause();
  const text = JSON.stringify(body);
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${text.length}\r\n\r\n${text}`,
  );
  return socket;
}

const ask = (listener: Listener, path: string, body?: object): Promise<Response> =>
  fetch(listener.url + path, {
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  });

/** Counts the events of a stream as they arrive, and keeps the last one. */
async function count(reply: Response, onEvent: (count: number) => void = () => {}): Promise<[number, string]> {
  let events = 0;
  let rest = '';
  let last = '';
  for await (const chunk of (reply.body ?? []) as AsyncIterable<Uint8Array>) {
    const blocks = (rest + Buffer.from(chunk).toString('latin1')).split('\n\n');
    rest = blocks.pop() ?? '';
    events += blocks.length;
    last = blocks.at(-1) ?? last;
    onEvent(events);
  }
  return [events, last];
}

const knownRuns = new Set<string>();

/** The id of the run that was created since the last call. A run is stored shortly after its execution has begun. */
async function newRun(listener: Listener): Promise<string> {
  let added: string[] = [];
  await until(async () => {
    const page = runPageSchema.parse(await (await ask(listener, '/v2/runs')).json());
    added = page.data.map(({ id }) => id).filter((id) => !knownRuns.has(id));
    return added.length > 0;
  });
  assert.equal(added.length, 1);
  knownRuns.add(added[0] ?? '');
  return added[0] ?? '';
}

test('a stalled reader does not slow down its run, and its stream ends when it falls too far behind', async () => {
  const listener = await listenFor();
  let wake = (): void => {};
  let seen = 0;
  // The engine waits for the other client: if that one were slowed down too, this would never end.
  pause = async (token) => {
    while (seen < (token - 100) * SEQUENCES) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const stalled = await askAndStall(listener, '/v2/runs', { ...RUN, async_run: true });
  await until(() => engine.running === 1);
  const id = await newRun(listener);
  const [events, last] = await count(await ask(listener, `/v2/runs/${id}/events`), (events) => {
    seen = events;
    wake();
  });
  // Beside the state of the run at its beginning and its end.
  assert.equal(events, EVENTS + 2);
  assert.match(last, /"run_state":"complete"/);

  let text = '';
  stalled.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
  });
  stalled.resume();
  await until(() => text.endsWith('\r\n0\r\n\r\n'));
  const shown = text.match(/^event: token$/gm)?.length ?? 0;
  assert.ok(shown < HELD_EVENTS, `${shown} events were kept for a reader that read none`);
  assert.match(text, /event: error\ndata: \{"code":"reader_too_slow"/);
});

test('a completion waits for its reader without generating ahead, while others continue', async () => {
  pause = () => null;
  const [impatient, patient] = [await listenFor({ idleMs: 300 }), await listenFor()];
  const settled = it.admission.settled.length;
  const stalled = await askAndStall(impatient, '/v1/completions', COMPLETION);
  await until(() => engine.running === 1);
  const closed = once(stalled, 'close');
  const [events, last] = await count(await ask(patient, '/v1/completions', { ...COMPLETION, n: 1 }));
  assert.ok(events >= LENGTH, String(events));
  assert.equal(last, 'data: [DONE]');
  // The idle connection is closed, which ends its generation.
  await until(() => it.admission.settled.length === settled + 2);
  assert.equal(engine.running, 0);
  const cost = it.admission.settled.at(-1);
  assert.ok((cost?.generatedTokens ?? 0) < HELD_EVENTS, JSON.stringify(cost));
  stalled.resume();
  await closed;
});

test('disconnects a stalled reader of a run without other readers, and the run ends', async () => {
  const [impatient, patient] = [await listenFor({ idleMs: 300 }), await listenFor()];
  let resume = (): void => {};
  const held = new Promise<void>((resolve) => {
    resume = resolve;
  });
  // More than the buffers of sockets, less than the server keeps for a late client.
  pause = (token) => (token === LENGTH - 1 ? held : null);
  const sequences = 2;
  const data = ['p', { response_length: LENGTH, num_return_sequences: sequences, do_sample: true }];
  const settled = it.admission.settled.length;
  await askAndStall(impatient, '/v2/runs', { ...RUN, data });
  await until(() => engine.running === 1);
  const id = await newRun(patient);
  await until(() => it.admission.settled.length === settled + 1);
  resume();
  const find = async (): Promise<RunGet> => runGetSchema.parse(await (await ask(patient, `/v2/runs/${id}`)).json());
  // The transaction that ends a run settles its cost; others see both when it is committed.
  await until(async () => (await find()).ended_at !== null);
  const run = await find();
  assert.equal(run.run_state, 'failed');
  assert.match(run.error_info?.exception ?? '', /cancelled/);
  assert.equal(it.admission.settled.at(-1)?.generatedTokens, sequences * (LENGTH - 1));
});
