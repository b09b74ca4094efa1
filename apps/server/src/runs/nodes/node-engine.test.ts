/** Direct generations at a server without an engine are computed by servers that have one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseGenerateParameters } from '@gptj-cloud/decoding';
import type { EngineStats } from '@gptj-cloud/engine';
import { createOpenAdmission, type OpenAdmission } from '../../testing/open-admission.ts';
import { createScriptedEngine, type Script, type ScriptedEngine } from '../../testing/scripted-engine.ts';
import { type ServedComposition, serveComposition } from '../../testing/serve-composition.ts';
import { shareServers } from '../../testing/shared-servers.ts';
import { until } from '../../testing/until.ts';
import { createEngineNodes } from './engine-nodes.ts';
import { BODY_HASH_HEADER, GENERATIONS_PATH, hashBody, writeGeneration } from './generation-wire.ts';
import { createNodeEngine } from './node-engine.ts';
import { findHolders } from './node-prefix-store.ts';
import { generationSubject, signRequest } from './node-signature.ts';
import { ensureNodeSecret, findEngineNodes } from './node-store.ts';

interface Completion {
  readonly choices: readonly { readonly text: string }[];
}

const TOKEN = 'test-token-0123456789';
const HEADERS = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
const TEXT = [...'abcdefgh'].map((letter) => letter.charCodeAt(0));
const TIMING = { leaseMs: 600_000, heartbeatMs: 5, pollMs: 5 };

const servers = shareServers(TOKEN);

const IDLE: EngineStats = {
  evaluations: 0,
  busyMs: 0,
  evaluatedTokens: 0,
  batchTokens: [],
  drafts: { lookup: { drafted: 0, accepted: 0 }, model: { drafted: 0, accepted: 0 } },
  active: 0,
  waiting: 0,
  freeCells: 0,
  cacheCells: 0,
  prefixes: 0,
  prefixLabels: [],
  oldestWaitingMs: 0,
  memoryBytes: 0,
};

interface Worker extends ServedComposition {
  readonly engine: ScriptedEngine;
  readonly admission: OpenAdmission;
}

async function joinWorker(script: Partial<Script> = {}, running = 2): Promise<Worker> {
  const engine = createScriptedEngine(() => ({ sequences: [TEXT], ...script }));
  const admission = createOpenAdmission();
  const stats = async (): Promise<EngineStats> => ({
    ...IDLE,
    prefixLabels: engine.requests.flatMap(({ prefixLabels = [] }) => prefixLabels),
  });
  const server = await serveComposition({
    store: servers.store,
    engine: { ...engine, stats },
    running,
    timing: TIMING,
    admission,
  });
  servers.add(server);
  return { ...server, engine, admission };
}

async function joinApi(): Promise<ServedComposition & { readonly admission: OpenAdmission }> {
  const secret = await ensureNodeSecret(servers.store.db);
  const admission = createOpenAdmission();
  const nodes = createEngineNodes({
    find: () => findEngineNodes(servers.store.db),
    findHolders: (labels) => findHolders(servers.store.db, labels),
    now: () => performance.now(),
    random: () => 0,
  });
  const engine = createNodeEngine({
    info: () => createScriptedEngine(() => ({ sequences: [] })).info,
    nodes,
    sign: (request) => signRequest(secret, request, new Date()),
    onRefusal: () => {},
  });
  const server = await serveComposition({
    store: servers.store,
    engine,
    running: 0,
    timing: TIMING,
    admission,
    isElsewhere: true,
  });
  servers.add(server);
  return { ...server, admission };
}

async function complete(
  { url }: ServedComposition,
  fields: object = {},
  init: { readonly signal?: AbortSignal } = {},
): Promise<Response> {
  const body = JSON.stringify({ prompt: 'hi', max_tokens: TEXT.length, temperature: 0, ...fields });
  return await fetch(`${url}/v1/completions`, { method: 'POST', headers: HEADERS, body, ...init });
}

/** A pause before the token with an index, until it is released. */
function pauseBefore(index: number): { readonly script: Partial<Script>; readonly release: () => void } {
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { script: { pause: (at) => (at === index ? released : null) }, release };
}

test('a completion is the one that the worker computes, and is metered once, by the server that admitted it', async () => {
  const worker = await joinWorker();
  const api = await joinApi();
  const fields = { logprobs: 2 };
  const read = async (server: ServedComposition): Promise<Completion> =>
    (await (await complete(server, fields)).json()) as Completion;
  const [here, there] = [await read(worker), await read(api)];
  assert.deepEqual({ ...there, id: '', created: 0 }, { ...here, id: '', created: 0 });
  assert.equal(there.choices[0]?.text, 'abcdefgh');
  assert.deepEqual(
    api.admission.settled.map(({ computedTokens }) => computedTokens),
    worker.admission.settled.map(({ computedTokens }) => computedTokens),
  );
  assert.equal(worker.admission.settled.length, 1);
  assert.deepEqual(worker.engine.requests[1]?.config, worker.engine.requests[0]?.config);
  assert.equal(worker.engine.requests[1]?.tenant, worker.engine.requests[0]?.tenant);
});

test('tokens are streamed as the worker computes them, and a client that leaves ends the work there', async () => {
  const { script } = pauseBefore(3);
  const worker = await joinWorker(script);
  const api = await joinApi();
  const gone = new AbortController();
  const reply = await complete(api, { stream: true }, { signal: gone.signal });
  const reader = reply.body!.getReader();
  const decoder = new TextDecoder();
  let text = '';
  while (!text.includes('"text":"c"')) text += decoder.decode((await reader.read()).value, { stream: true });
  assert.equal(worker.engine.running, 1);
  gone.abort();
  await until(() => worker.engine.running === 0);
  await until(() => api.admission.settled.length === 1);
  assert.equal(api.admission.settled[0]?.computedTokens, 'hi'.length + 3);
});

test('the node with the most room is chosen', async () => {
  const { script, release } = pauseBefore(0);
  const small = await joinWorker(script, 1);
  const large = await joinWorker(script, 3);
  const api = await joinApi();
  const replies = Array.from({ length: 4 }, () => complete(api));
  await until(() => small.engine.running + large.engine.running === 4);
  assert.deepEqual([small.engine.running, large.engine.running], [1, 3]);
  release();
  for (const reply of await Promise.all(replies)) assert.equal(reply.status, 200);
});

test('of nodes with similar loads one that has the beginning of the prompt is chosen, also by another server', async () => {
  const prompt = 'the same long question of one project, '.repeat(4);
  const workers = [await joinWorker({}, 4), await joinWorker({}, 4), await joinWorker({}, 4)];
  const apis = [await joinApi(), await joinApi()];
  const answered = (): readonly number[] => workers.map(({ engine }) => engine.requests.length);
  assert.equal((await complete(workers[1]!, { prompt })).status, 200);
  const [asked] = workers[1]!.engine.requests;
  assert.equal(asked?.prefixLabels?.length, Math.floor(prompt.length / 64));
  const node = workers[1]!.composition.runs.node.id;
  await until(async () => (await findHolders(servers.store.db, asked?.prefixLabels ?? [])).has(node));
  for (const api of apis) {
    assert.equal((await complete(api, { prompt: `${prompt} And one more?` })).status, 200);
  }
  assert.deepEqual(answered(), [0, 3, 0]);
  assert.deepEqual(workers[1]?.engine.requests[2]?.prefixLabels, asked?.prefixLabels);
});

test('a node that is not there any more is passed over, and one that drains', async () => {
  const worker = await joinWorker();
  const gone = { slots: 100, busy: 0, models: '{scripted}' };
  await servers.store.db.execute(
    `INSERT INTO nodes (id, url, slots, busy, models) VALUES ('gone', 'http://127.0.0.1:9', ${gone.slots}, ${gone.busy}, '${gone.models}')`,
  );
  const api = await joinApi();
  try {
    assert.equal((await complete(api)).status, 200);
    const { script } = pauseBefore(0);
    const draining = await joinWorker(script, 50);
    await draining.composition.drain(0);
    assert.equal((await complete(api)).status, 200);
    assert.deepEqual([worker.engine.requests.length, draining.engine.requests.length], [2, 0]);
  } finally {
    await servers.store.db.execute(`DELETE FROM nodes WHERE id = 'gone'`);
  }
});

test('a worker that stops before the first token is replaced by another, and after it the client gets an error', async () => {
  const early = pauseBefore(0);
  const late = pauseBefore(3);
  const first = await joinWorker(early.script, 50);
  const api = await joinApi();
  const whole = complete(api);
  await until(() => first.engine.running === 1);
  const second = await joinWorker(late.script, 1);
  await first.composition.drain(0);
  await until(() => second.engine.running === 1);
  await second.composition.drain(0);
  const reply = await whole;
  assert.equal(reply.status, 503);
  assert.match(await reply.text(), /the worker that generated the text ended/);
  assert.equal(reply.headers.get('retry-after'), '5');
  // The server's fault: what it computed is not charged.
  assert.deepEqual([api.admission.settled, api.admission.cancelled.length], [[], 1]);
});

test('a node that does not serve one model is still asked for its others', async () => {
  const { url, composition } = await joinWorker();
  const node = {
    id: composition.runs.node.id,
    url,
    slots: 1,
    busy: 0,
    models: ['unserved'],
    capabilities: null,
    beatAt: new Date(),
  };
  const secret = await ensureNodeSecret(servers.store.db);
  const refusals: string[] = [];
  const excluded: string[] = [];
  const { info } = createScriptedEngine(() => ({ sequences: [] }));
  const engine = createNodeEngine({
    info: () => ({ ...info, modelName: 'unserved' }),
    nodes: {
      take: async ({ excluded: asked }) => (asked.size > 0 ? null : { node, leave() {} }),
      lack: () => false,
      exclude: ({ id }) => excluded.push(id),
    },
    sign: (request) => signRequest(secret, request, new Date()),
    onRefusal: (_node, reason) => refusals.push(reason),
  });
  const { config } = parseGenerateParameters(
    { max_new_tokens: 8 },
    { vocabSize: 256, contextLength: 64, eosTokenId: null, promptLength: 2 },
  );
  await assert.rejects(async () => {
    for await (const { type } of engine.generate({ prompt: [104, 105], config })) assert.fail(type);
  }, /1 worker with the model unserved did not take the generation/);
  assert.deepEqual([refusals, excluded], [['it does not serve the model'], []]);
});

test('without a worker the client learns so, and when to come again', async () => {
  const api = await joinApi();
  const reply = await complete(api);
  assert.equal(reply.status, 503);
  assert.match(await reply.text(), /no worker with the model scripted is running, or none that this server reaches/);
  assert.notEqual(reply.headers.get('retry-after'), null);
});

test('a node computes for nodes of the store alone, and only what they signed', async () => {
  const worker = await joinWorker();
  const api = await joinApi();
  await complete(api);
  const [request] = worker.engine.requests;
  assert.ok(request !== undefined);
  const secret = await ensureNodeSecret(servers.store.db);
  const body = writeGeneration({ model: 'scripted', request });
  const other = writeGeneration({ model: 'scripted', request: { ...request, priority: 9 } });
  const ask = async (
    content: Uint8Array<ArrayBuffer>,
    signature: Readonly<Record<string, string>>,
    hash = hashBody(body),
  ): Promise<number> => {
    const headers = { ...signature, [BODY_HASH_HEADER]: hash };
    const reply = await fetch(worker.url + GENERATIONS_PATH, { method: 'POST', headers, body: content });
    await reply.text();
    return reply.status;
  };
  const signed = (node: string, hash = hashBody(body), at = new Date()) =>
    signRequest(secret, { node, subject: generationSubject(hash) }, at).headers;
  const { id } = worker.composition.runs.node;
  const sent = signed(id);
  assert.equal(await ask(body, sent), 200);
  // A copy of it, and one that was kept for a minute.
  assert.equal(await ask(body, sent), 401);
  assert.equal(await ask(body, signed(id, hashBody(body), new Date(Date.now() - 60_000))), 401);
  assert.equal(worker.engine.requests.length, 2);
  assert.equal(await ask(body, { authorization: `Bearer ${TOKEN}` }), 401);
  assert.equal(await ask(body, signed('another')), 401);
  assert.equal(await ask(other, signed(id)), 400);
  const junk = new TextEncoder().encode('{"version":1,"model":3}');
  assert.equal(await ask(junk, signed(id, hashBody(junk)), hashBody(junk)), 400);
  const newer = new TextEncoder().encode('{"version":2}');
  assert.equal(await ask(newer, signed(id, hashBody(newer)), hashBody(newer)), 409);
});

test('the log of the worker has the id of the request', async () => {
  const worker = await joinWorker();
  const api = await joinApi();
  const body = JSON.stringify({ prompt: 'hi', max_tokens: 2 });
  const headers = { ...HEADERS, 'x-request-id': 'request-of-the-client' };
  const reply = await fetch(`${api.url}/v1/completions`, { method: 'POST', headers, body });
  assert.equal(reply.headers.get('x-request-id'), 'request-of-the-client');
  assert.equal(worker.engine.requests[0]?.origin, undefined);
  await until(() => worker.logLines.some((line) => line.includes('request-of-the-client')));
});
