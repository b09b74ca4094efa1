/** A worker beside a server on one PostgreSQL. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GPTJ_PIPELINE_ID, runGetSchema } from '@gptj-cloud/protocol';
import { serve } from './main.ts';
import { byteTokenizer, createFakeEngine, type FakeEngine } from './testing/fake-model.ts';
import { createScratchDatabase, WITHOUT_POSTGRES } from './testing/test-store.ts';
import { until } from './testing/until.ts';

const TOKEN = 'test-token-0123456789';
const HEADERS = { authorization: `Bearer ${TOKEN}` };

const start = async (
  role: 'server' | 'worker',
  databaseUrl: string | null,
  engine: FakeEngine,
  printed: string[] = [],
  clock = () => new Date(),
) =>
  await serve(
    { port: 0, databaseUrl, apiToken: TOKEN, maxRunningRuns: 1 },
    {
      role,
      clock,
      environment: {},
      openModel: async () => ({ engine, tokenizer: byteTokenizer }),
      print: (line) => printed.push(line),
      log: () => {},
      terminal: { print: true, log: false, colours: false },
    },
  );

test('a worker executes the runs of a server, and answers nothing of the API', { skip: WITHOUT_POSTGRES }, async () => {
  const database = await createScratchDatabase();
  const [busy, idle] = [createFakeEngine(), createFakeEngine()];
  busy.hold();
  const printed: string[] = [];
  const server = await start('server', database.url, busy);
  const worker = await start('worker', database.url, idle, printed);
  try {
    const submit = async (fields: object): Promise<Response> => {
      const body = JSON.stringify({ pipeline_id: GPTJ_PIPELINE_ID, data: ['four', { response_length: 4 }], ...fields });
      return await fetch(`${server.url}/v2/runs`, { method: 'POST', headers: HEADERS, body });
    };
    await submit({ async_run: true });
    await until(() => busy.began === 1);
    const run = runGetSchema.parse(await (await submit({})).json());
    assert.equal(run.run_state, 'complete');
    const stream = await (await submit({ stream: true })).text();
    assert.match(stream, /event: token\ndata: \{"index":0,"text":"x"/);
    assert.deepEqual([busy.began, idle.began], [1, 2]);

    assert.equal((await fetch(`${worker.url}/healthz`)).status, 200);
    assert.equal((await fetch(`${worker.url}/readyz`)).status, 200);
    for (const path of ['/', '/v2/runs', '/v1/models', '/openapi.json', `/v2/runs/${run.id}`]) {
      assert.equal((await fetch(worker.url + path, { headers: HEADERS })).status, 404, path);
    }
    assert.deepEqual(
      printed.map((line) => line.split(' ', 3).join(' ')),
      ['gptj worker executes', 'They reach it'],
    );
  } finally {
    busy.resume();
    await Promise.all([server.close(), worker.close()]);
    await database.drop();
  }
});

test('servers on one PostgreSQL have its time, whatever their own clocks say', { skip: WITHOUT_POSTGRES }, async () => {
  const database = await createScratchDatabase();
  const server = await start('server', database.url, createFakeEngine(), [], () => new Date(Date.now() + 600_000));
  try {
    const body = JSON.stringify({ pipeline_id: GPTJ_PIPELINE_ID, data: ['four', { response_length: 4 }] });
    const reply = await fetch(`${server.url}/v2/runs`, { method: 'POST', headers: HEADERS, body });
    const run = runGetSchema.parse(await reply.json());
    const fast = Date.now() + 300_000;
    for (const at of [run.created_at, run.ended_at]) assert.ok(Number(at) * 1000 < fast, String(at));
  } finally {
    await server.close();
    await database.drop();
  }
});

test('a worker without a PostgreSQL is refused before it loads a model', async () => {
  const engine = createFakeEngine();
  await assert.rejects(start('worker', null, engine), /DATABASE_URL: expected the PostgreSQL of the servers/);
});
