/** Models that owners add and remove while a server runs, on real files with engines that are processes. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import {
  modelServingGetSchema,
  modelServingListSchema,
  runGetSchema,
  storedModelListSchema,
} from '@gptj-cloud/protocol';
import { pipelineOf } from '../generation/pipelines/pipeline-identity.ts';
import { type RunningServer, serve } from '../main.ts';
import { storeTiny } from '../testing/store-tiny.ts';

const TOKEN = 'test-token-0123456789';
const NAME = 'tiny';
const PIPELINE = pipelineOf('small', false).id;

let folder: string;
let dataDir: string;
let open: RunningServer[] = [];
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gptj-live-models-'));
  dataDir = join(folder, 'data');
  await storeTiny(folder, dataDir, NAME);
});
afterEach(async () => {
  await Promise.all(open.map((server) => server.close()));
  open = [];
});
after(() => rm(folder, { recursive: true }));

async function start(environment: Readonly<Record<string, string>> = {}): Promise<RunningServer> {
  const server = await serve(
    { port: 0, apiToken: TOKEN, dataDir },
    {
      environment: { GPTJ_MODEL: join(folder, 'tiny.gguf'), MODEL_MEMORY_MB: '2000', ...environment },
      print: () => {},
      log: () => {},
      terminal: { print: true, log: false, colours: false },
    },
  );
  open.push(server);
  return server;
}

async function ask(server: RunningServer, method: string, path: string, body?: unknown): Promise<Response> {
  return await fetch(server.url + path, {
    method,
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function servings(server: RunningServer) {
  const reply = await ask(server, 'GET', '/v2/admin/models/served');
  return modelServingListSchema.parse(await reply.json()).data;
}

async function isDeletable(server: RunningServer): Promise<boolean> {
  const { data } = storedModelListSchema.parse(await (await ask(server, 'GET', '/v2/admin/models')).json());
  return data.every((model) => !model.is_served);
}

const complete = (server: RunningServer, model: string, prompt = 'ab'): Promise<Response> =>
  ask(server, 'POST', '/v1/completions', { model, prompt, max_tokens: 3 });

test('a stored model is served while the server runs and after a restart, and is then served no longer', async () => {
  let server = await start();
  assert.equal((await complete(server, 'small')).status, 404);
  assert.equal(await isDeletable(server), true);

  const reply = await ask(server, 'POST', '/v2/admin/models/served', { model: NAME, name: 'small' });
  const text = await reply.text();
  assert.equal(reply.status, 200, text);
  const { model, from, state, pipeline_id: id, tags } = modelServingGetSchema.parse(JSON.parse(text));
  assert.deepEqual([model, from, state, id, tags], ['tiny.f32', 'store', 'unloaded', PIPELINE, ['small:latest']]);

  assert.equal((await complete(server, 'small')).status, 200);
  // Read on a worker thread, which knows the model too.
  assert.equal((await complete(server, 'small', 'ab'.repeat(20_000))).status, 400);
  const run = runGetSchema.parse(
    await (
      await ask(server, 'POST', '/v2/runs', { pipeline_id: 'small:latest', data: ['ab', { max_new_tokens: 2 }] })
    ).json(),
  );
  assert.deepEqual([run.run_state, run.runnable.id], ['complete', PIPELINE]);
  assert.match(
    await (await ask(server, 'GET', '/metrics')).text(),
    /^gptj_model_state\{model="small",state="loaded"\} 1$/m,
  );
  assert.equal((await ask(server, 'DELETE', `/v2/admin/models/${NAME}`)).status, 409);

  await server.close();
  open = [];
  server = await start();
  const [first, second, ...others] = await servings(server);
  assert.deepEqual([first?.from, second?.from, second?.name, others.length], ['settings', 'store', 'small', 0]);
  assert.equal((await complete(server, 'small')).status, 200);

  const ended = await ask(server, 'DELETE', '/v2/admin/models/served/SMALL');
  assert.equal(ended.status, 200, await ended.text());
  assert.equal((await complete(server, 'small')).status, 404);
  assert.equal((await ask(server, 'POST', '/v2/runs', { pipeline_id: PIPELINE, data: ['ab', {}] })).status, 404);
  assert.equal(await isDeletable(server), true);
  assert.equal((await servings(server)).length, 1);
  const log = await (await ask(server, 'GET', '/v2/audit-log?action=server.model_serve_end')).text();
  assert.match(log, /"model":"tiny.f32"/);
});

test('refuses what it cannot serve, with what to do', async () => {
  const server = await start();
  const refusal = async (method: string, path: string, body?: unknown): Promise<string> => {
    const reply = await ask(server, method, path, body);
    return `${reply.status} ${await reply.text()}`;
  };
  const served = '/v2/admin/models/served';
  assert.match(await refusal('POST', served, { model: 'none' }), /^404 .*it has tiny; gptj pull/);
  assert.match(await refusal('POST', served, { model: '/etc/passwd' }), /^404 /);
  assert.match(await refusal('POST', served, { model: NAME, name: '../x' }), /^400 /);
  const [first] = await servings(server);
  assert.match(await refusal('POST', served, { model: NAME, name: first?.name.toUpperCase() }), /^409 .*the name/);
  assert.match(await refusal('DELETE', `${served}/${first?.name}`), /^409 .*settings/);
  assert.match(await refusal('DELETE', `${served}/none`), /^404 /);
});

test('a file that is no model is refused when it is added', async () => {
  await storeTiny(folder, dataDir, 'damaged');
  await writeFile(join(dataDir, 'models', 'damaged.f32-000000000000.gguf'), 'GGUF');
  const server = await start();
  const reply = await ask(server, 'POST', '/v2/admin/models/served', { model: 'damaged' });
  assert.equal(reply.status, 409, await reply.text());
  await rm(join(dataDir, 'models', 'damaged.f32.json'));
});

test('a model that does not fit into the memory of all is refused when it is added', async () => {
  const server = await start({ MODEL_MEMORY_MB: '1' });
  const reply = await ask(server, 'POST', '/v2/admin/models/served', { model: NAME });
  assert.equal(reply.status, 409);
  assert.match(await reply.text(), /MODEL_MEMORY_MB/);
  assert.equal((await servings(server)).length, 1);
});

test('a served model whose file is gone is shown as failed with the reason, and can be removed', async () => {
  let server = await start();
  assert.equal((await ask(server, 'POST', '/v2/admin/models/served', { model: NAME, name: 'small' })).status, 200);
  await server.close();
  open = [];
  await rm(join(dataDir, 'models', `${NAME}.f32.json`));
  server = await start();
  const found = (await servings(server)).find(({ name }) => name === 'small');
  assert.deepEqual([found?.state, found?.pipeline_id], ['failed', null]);
  assert.match(found?.reason ?? '', /tiny\.f32/);
  assert.equal((await ask(server, 'DELETE', '/v2/admin/models/served/small')).status, 200);
  assert.equal((await servings(server)).length, 1);
});
