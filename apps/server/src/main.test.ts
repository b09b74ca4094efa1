import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, get } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { GPTJ_PIPELINE_ID, pullGetSchema, runGetSchema, runPageSchema, sessionGetSchema } from '@gptj-cloud/protocol';
import type { ServerOptions } from './config/parse-config.ts';
import { ConfigError } from './config-error.ts';
import { type RunningServer, type ServeParts, serve } from './main.ts';
import { StoreError } from './store/store-error.ts';
import { byteTokenizer, createFakeEngine, type FakeEngine } from './testing/fake-model.ts';
import { fillDataDir } from './testing/test-store.ts';
import { until } from './testing/until.ts';

const TOKEN = 'test-token-0123456789';
const BODY = JSON.stringify({ pipeline_id: GPTJ_PIPELINE_ID, data: ['hi', { response_length: 2 }] });

let folder: string;
let engine: FakeEngine;
let printed: string[];
let planLines: string[];
let logged: string[];
let open: RunningServer[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gptj-server-'));
  await fillDataDir(folder);
  engine = createFakeEngine();
  printed = [];
  planLines = [];
  logged = [];
  open = [];
});
afterEach(async () => {
  engine.resume();
  await Promise.all(open.map((server) => server.close()));
  await rm(folder, { recursive: true });
});

async function start(options: ServerOptions = {}, parts: Partial<ServeParts> = {}): Promise<RunningServer> {
  const server = await serve(
    { port: 0, dataDir: folder, ...options },
    {
      environment: {},
      openModel: async () => ({ engine, tokenizer: byteTokenizer }),
      print(line) {
        (line.startsWith('Plans: ') ? planLines : printed).push(line);
      },
      log: (line) => logged.push(line),
      terminal: { print: true, log: false, colours: false },
      ...parts,
    },
  );
  open.push(server);
  return server;
}

const post = (server: RunningServer, token: string = TOKEN): Promise<Response> =>
  fetch(`${server.url}/v2/runs`, { method: 'POST', body: BODY, headers: { authorization: `Bearer ${token}` } });

test('the first start prints a token that works and a command that uses it; the second start prints none', async () => {
  const first = await start();
  assert.match(
    printed[0] ?? '',
    /^gptj-cloud listens on http:\/\/127\.0\.0\.1:\d+: fake, F32, on the CPU, loaded in 0\.0 s$/,
  );
  assert.equal(printed[1], `Manual: ${first.url}/docs`);
  const token = /^API token: (\S+)$/.exec(printed[2] ?? '')?.[1] ?? '';
  assert.ok(printed[4]?.includes(`curl ${first.url}/v2/runs -H 'Authorization: Bearer ${token}'`));
  assert.match(printed[5] ?? '', /^Set up the owner's account .*: http:\S+\/v2\/auth\/set-up#[\w-]{32}$/);
  assert.equal((await post(first, token)).status, 200);
  await assert.rejects(start(), (error) => error instanceof StoreError && error.code === 'data_dir_in_use');
  const closed = first.close();
  assert.equal(first.close(), closed);
  await closed;
  printed = [];
  const second = await start();
  assert.equal(printed.length, 2);
  const reply = await fetch(`${second.url}/v2/runs`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal(runPageSchema.parse(await reply.json()).total, 1);
});

test('where no terminal reads, credentials go into files, and neither output nor log holds them', async () => {
  const { url } = await start({}, { terminal: { print: false, log: false, colours: false } });
  const token = (await readFile(join(folder, 'first-api-token.txt'), 'utf8')).trim();
  const link = (await readFile(join(folder, 'set-up-link.txt'), 'utf8')).trim();
  assert.match(link, new RegExp(`^${url}/v2/auth/set-up#[\\w-]{32}$`));
  assert.equal((await post(open[0]!, token)).status, 200);
  const output = [...printed, ...logged].join('\n');
  assert.ok(!output.includes(token) && !output.includes(link.split('#')[1]!));
  assert.ok(logged.some((line) => line.includes(join(folder, 'first-api-token.txt'))));
  assert.match(printed[2] ?? '', /^The first API token is in \S+first-api-token\.txt;/);
});

test('servers with different tokens in their environment share a store without revoking each other', async () => {
  const first = await start({ apiToken: 'env-token-AAAA' });
  assert.equal((await post(first, 'env-token-AAAA')).status, 200);
  await first.close();
  const second = await start({ apiToken: 'env-token-BBBB' });
  assert.deepEqual(
    [(await post(second, 'env-token-AAAA')).status, (await post(second, 'env-token-BBBB')).status],
    [200, 200],
  );
  assert.ok(logged.some((line) => line.includes('GPTJ_API_TOKEN was added')));
  await second.close();
  printed = [];
  const third = await start();
  assert.deepEqual([(await post(third, 'env-token-AAAA')).status, printed.length], [200, 2]);
});

test('the log has the life of the server, and who used it how much', async () => {
  const server = await start({ apiToken: TOKEN, logLevel: 'debug' }, { environment: { MAX_RUNING_RUNS: '3' } });
  await post(server);
  await fetch(`${server.url}/healthz`);
  await server.close();
  const entries = logged.map((line) => JSON.parse(line));
  const messages = entries.map(({ message }) => message);
  const order = ['starting', 'listening', 'run ended', 'draining: new work is refused', 'stopped'];
  assert.deepEqual(
    messages.filter((message) => order.includes(message)),
    order,
  );
  assert.ok(messages.some((message) => /MAX_RUNING_RUNS .* MAX_RUNNING_RUNS/.test(message)));
  const ended = entries.find(({ message }) => message === 'run ended');
  const { state, model, prompt_tokens: prompt, generated_tokens: generated, token_id: tokenId } = ended;
  assert.deepEqual([state, model, prompt, generated], ['complete', 'fake', 2, 2]);
  assert.match(tokenId, /^token_/);
  for (const name of ['project_id', 'user_id', 'queue_ms', 'compute_ms', 'duration_ms']) assert.ok(name in ended, name);
  const request = entries.find(({ path }) => path === '/v2/runs');
  assert.deepEqual([request.level, request.token_id, request.user_id], ['info', tokenId, ended.user_id]);
  assert.equal(entries.find(({ path }) => path === '/healthz').level, 'debug');
});

test('the start names the plans that lock new accounts out of the model, and open ones', async () => {
  const first = await start({ apiToken: TOKEN });
  await first.close();
  await start({ apiToken: TOKEN }, { environment: { PLANS: 'open' } });
  assert.match(planLines[0] ?? '', /^Plans: a new account has Free, which does not include gpt-j-6b\. An owner grants/);
  assert.equal(planLines[1], 'Plans: open; every account may use gpt-j-6b without limits');
});

test('with a dashboard, the start names the address to open, and the link opens its page', async () => {
  const { url } = await start({}, { dashboardDir: join(folder, 'site') });
  assert.equal(printed[1], `Dashboard: open ${url} in a browser; manual: ${url}/docs`);
  assert.match(printed.at(-1) ?? '', new RegExp(`: ${url}/set-up#[\\w-]{32}$`));
  const [page] = await once(get(url, { headers: { accept: 'text/html' } }), 'response');
  page.resume();
  assert.equal(page.statusCode, 503, 'the page that waits for the build');
});

test('GPTJ_DASHBOARD=off serves the API alone', async () => {
  const parts = { dashboardDir: join(folder, 'site'), environment: { GPTJ_DASHBOARD: 'off' } };
  const { url } = await start({}, parts);
  assert.ok(!printed.some((line) => line.startsWith('Dashboard')));
  const [front] = await once(get(url, { headers: { accept: 'text/html' } }), 'response');
  front.resume();
  assert.equal(front.headers['content-type'], 'application/json');
});

test('the owner from the environment can sign in, and no set-up link is printed', async () => {
  const environment = { GPTJ_OWNER_EMAIL: 'Owner@Example.com', GPTJ_OWNER_PASSWORD: 'Ozymandias1818' };
  const server = await start({ apiToken: TOKEN }, { environment });
  assert.equal(printed.length, 2);
  const reply = await fetch(`${server.url}/v2/auth/login`, {
    method: 'POST',
    body: JSON.stringify({ login: 'owner@example.com', password: 'Ozymandias1818' }),
  });
  const { user } = sessionGetSchema.parse(await reply.json());
  assert.deepEqual([user.role, user.username, user.verified], ['owner', 'owner', true]);
});

test('a stopping server refuses new runs, is not ready, and completes the runs in flight', async () => {
  const server = await start({ apiToken: TOKEN });
  engine.hold();
  const reply = post(server);
  await until(() => engine.began === 1);
  const closed = server.close();
  const refused = await post(server);
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '5']);
  assert.equal((await fetch(`${server.url}/readyz`)).status, 503);
  assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
  engine.resume();
  assert.equal(runGetSchema.parse(await (await reply).json()).run_state, 'complete');
  await closed;
  await assert.rejects(post(server));
});

test('runs that exceed the drain timeout are stopped and stored as failed', async () => {
  const server = await start({ apiToken: TOKEN, drainTimeoutMs: 0 });
  engine.hold();
  const reply = post(server);
  await until(() => engine.began === 1);
  await server.close();
  const run = runGetSchema.parse(await (await reply).json());
  assert.deepEqual([run.run_state, run.error], ['failed', 'max_retries']);
});

test('a pull ends when the server drains, and its readers learn of it', async () => {
  const hub = createServer(() => {}).listen(0, '127.0.0.1');
  await once(hub, 'listening');
  const environment = { HF_ENDPOINT: `http://127.0.0.1:${(hub.address() as AddressInfo).port}` };
  try {
    const server = await start({ apiToken: TOKEN }, { environment });
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
    const pulls = `${server.url}/v2/admin/models/pulls`;
    const begun = await fetch(pulls, { method: 'POST', body: '{"from":"gpt-j-6b"}', headers });
    const { id } = pullGetSchema.parse(await begun.json());
    const events = await fetch(`${pulls}/${id}/events`, { headers });
    const [text] = await Promise.all([events.text(), server.close()]);
    assert.match(text, /"state":"cancelled"/);
  } finally {
    hub.closeAllConnections();
    hub.close();
  }
});

test('an asynchronous run survives a restart: the next start executes it from the beginning', async () => {
  const server = await start({ apiToken: TOKEN, drainTimeoutMs: 0 });
  engine.hold();
  const headers = { authorization: `Bearer ${TOKEN}` };
  const body = JSON.stringify({ ...JSON.parse(BODY), async_run: true });
  const reply = await fetch(`${server.url}/v2/runs`, { method: 'POST', body, headers });
  const { id } = runGetSchema.parse(await reply.json());
  await until(() => engine.began === 1);
  await server.close();
  engine.resume();
  const next = await start({ apiToken: TOKEN });
  const state = async (): Promise<unknown> =>
    runGetSchema.parse(await (await fetch(`${next.url}/v2/runs/${id}`, { headers })).json()).run_state;
  await until(async () => (await state()) === 'complete');
});

test('a run continues when its client has disconnected', async () => {
  const server = await start({ apiToken: TOKEN }, { waiting: { headerDelayMs: 0, spaceIntervalMs: 5 } });
  engine.hold();
  const socket = connect(server.port, '127.0.0.1');
  await once(socket, 'connect');
  const head = `POST /v2/runs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Length: ${BODY.length}\r\n\r\n`;
  socket.write(head + BODY);
  const [chunk] = await once(socket, 'data');
  assert.match(String(chunk), /^HTTP\/1\.1 200/);
  socket.destroy();
  await once(socket, 'close');
  engine.resume();
  const headers = { authorization: `Bearer ${TOKEN}` };
  const state = async (): Promise<unknown> =>
    runPageSchema.parse(await (await fetch(`${server.url}/v2/runs`, { headers })).json()).data[0]?.run_state;
  await until(async () => (await state()) === 'complete');
});

test('after a kill the next start takes over the lock and executes the run', async () => {
  const script = fileURLToPath(new URL('./testing/held-server.js', import.meta.url));
  const child = spawn(process.execPath, [script, folder], {
    env: { ...process.env, GPTJ_API_TOKEN: TOKEN },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  try {
    const [line] = await once(child.stdout, 'data');
    const url = /http:\/\/\S+:\d+/.exec(String(line))?.[0] ?? '';
    const headers = { authorization: `Bearer ${TOKEN}` };
    const broken = assert.rejects(fetch(`${url}/v2/runs`, { method: 'POST', body: BODY, headers }));
    const states = async (of: string): Promise<unknown[]> =>
      runPageSchema
        .parse(await (await fetch(`${of}/v2/runs`, { headers })).json())
        .data.map((run) => [run.run_state, run.error, run.ended_at !== null]);
    await until(async () => JSON.stringify(await states(url)) === '[["running",null,false]]');
    child.kill('SIGKILL');
    await Promise.all([exited, broken]);
    const next = await start({ apiToken: TOKEN });
    await until(async () => JSON.stringify(await states(next.url)) === '[["complete",null,true]]');
    assert.equal((await post(next)).status, 200);
  } finally {
    child.kill('SIGKILL');
    await exited;
  }
});

test('a start that fails closes what it has opened', async () => {
  await assert.rejects(start({}, { openModel: async () => Promise.reject(new Error('no such file')) }), /no such file/);
  const first = await start({ apiToken: TOKEN });
  const elsewhere = await mkdtemp(join(tmpdir(), 'gptj-server-'));
  await fillDataDir(elsewhere);
  try {
    const taken = { port: first.port, dataDir: elsewhere };
    await assert.rejects(
      start(taken),
      (error) => error instanceof ConfigError && /PORT \d+: .*EADDRINUSE/.test(error.message),
    );
    printed = [];
    await start({ dataDir: elsewhere });
    assert.match(printed[2] ?? '', /^API token: /);
  } finally {
    await open.at(-1)?.close();
    await rm(elsewhere, { recursive: true });
  }
});

test('the reason of a failed start is reported, also when a part cannot be closed', async () => {
  const fails = (text: string) => (): never => {
    throw new Error(text);
  };
  engine.close = async () => fails('the engine does not close')();
  await assert.rejects(start({}, { print: fails('no terminal') }), /^Error: no terminal$/);
  assert.match(logged.join('\n'), /a part could not be closed.*the engine does not close/);
});
