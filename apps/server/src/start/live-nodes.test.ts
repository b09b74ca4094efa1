/** Servers on one store learn of models and adapters that one of them begins or ceases to serve while they run. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Engine, EngineInfo } from '@gptj-cloud/engine';
import { modelServingListSchema, pipelineGetSchema, runGetSchema } from '@gptj-cloud/protocol';
import { pipelineOf } from '../generation/pipelines/pipeline-identity.ts';
import type { Node } from '../runs/nodes/node.ts';
import { BYTE_VOCABULARY } from '../testing/byte-vocabulary.ts';
import { byteTokenizer } from '../testing/fake-model.ts';
import { createScriptedEngine, type ScriptedEngine } from '../testing/scripted-engine.ts';
import { type ServedComposition, serveComposition } from '../testing/serve-composition.ts';
import { shareServers } from '../testing/shared-servers.ts';
import { until } from '../testing/until.ts';
import type { LiveModels } from './live-models.ts';
import { createModelRegister } from './model-register.ts';
import type { ServedModel } from './open-models.ts';
import { followNodeModels, openNodeModels } from './open-node-models.ts';
import { createServedModels } from './served-models.ts';

const TOKEN = 'test-token-0123456789';
const TIMING = { leaseMs: 600_000, heartbeatMs: 5, pollMs: 5 };
const LOGGER = { debug() {}, info() {}, warn() {}, error: assert.fail };
const SMALL = pipelineOf('small', false).id;

const servers = shareServers(TOKEN);

/** Writes the letter. Its adapters can be set. */
function engineOf(modelName: string, letter: string): ScriptedEngine & { useAdapters(names: readonly string[]): void } {
  const { info: base, ...engine } = createScriptedEngine(({ config, prompt }) => ({
    sequences: [Array.from({ length: config.maxLength - prompt.length }, () => letter.charCodeAt(0))],
  }));
  let info: EngineInfo = { ...base, modelName };
  return Object.defineProperties(engine, {
    info: { get: () => info },
    useAdapters: {
      value(adapters: readonly string[]) {
        info = { ...info, adapters };
      },
    },
  }) as ReturnType<typeof engineOf>;
}

interface Computing extends ServedComposition {
  readonly first: ReturnType<typeof engineOf>;
  /** Of the models that it serves beside its first. */
  readonly small: ReturnType<typeof engineOf>;
  /** As when adapters have changed. */
  readonly changed: () => void;
}

/** A server with an engine whose data folder has the model `small`, or lacks it. */
async function joinComputing(first: string, hasSmall: boolean, letter = 'b'): Promise<Computing> {
  const engine = engineOf(first, 'a');
  const small = engineOf('small', letter);
  const added = new Map<string, ServedModel>();
  const live: LiveModels = {
    onChange: async () => {},
    get others() {
      return [...added.values()];
    },
    async find(model) {
      if (!hasSmall) throw new Error(`this data folder lacks ${model}`);
      return { model: `${model}.f32`, name: model };
    },
    async open({ name, model }) {
      if (!hasSmall) throw new Error(`this data folder lacks ${model}`);
      const source = { engine: small as Engine, tokenizer: byteTokenizer, vocabulary: BYTE_VOCABULARY };
      added.set(name, source);
      await live.onChange();
      return source;
    },
    async close(name) {
      added.delete(name);
      await live.onChange();
    },
  };
  const served: ServedModel = { engine, tokenizer: byteTokenizer, vocabulary: BYTE_VOCABULARY, live };
  const models = createServedModels(served);
  const nodes = await followNodeModels({
    db: servers.store.db,
    clock: () => new Date(),
    logger: LOGGER,
    isOwn: models.isOwn,
  });
  let node: Node | null = null;
  const register = createModelRegister({
    db: servers.store.db,
    served: () => [served, ...models.own],
    node: () => node,
  });
  await models.connect({ workers: undefined, uses: null, register, nodes, logger: LOGGER });
  const server = await serveComposition({
    store: servers.store,
    engine,
    running: 2,
    timing: TIMING,
    models: { opener: live, elsewhere: nodes, onModelChange: models.register },
  });
  node = server.composition.runs.node;
  const joined = { ...server, first: engine, small, changed: models.adaptersChanged };
  servers.add(joined);
  return joined;
}

/** A server without an engine. */
async function joinApi(): Promise<ServedComposition> {
  const { first, nodes } = await openNodeModels(
    { store: servers.store, clock: () => new Date() },
    { logger: LOGGER, print() {}, signal: null },
  );
  const server = await serveComposition({
    store: servers.store,
    engine: first.engine,
    isElsewhere: true,
    running: 0,
    timing: TIMING,
    models: { elsewhere: nodes, otherModels: nodes.present },
  });
  servers.add(server);
  return server;
}

async function ask({ url }: ServedComposition, method: string, path: string, body?: object): Promise<Response> {
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
  return await fetch(url + path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
}

async function names(server: ServedComposition): Promise<readonly string[]> {
  const { data } = (await (await ask(server, 'GET', '/v1/models')).json()) as { data: { id: string }[] };
  return data.map(({ id }) => id);
}

const lists = (server: ServedComposition, name: string, expected = true): Promise<void> =>
  until(async () => (await names(server)).includes(name) === expected);

async function complete(server: ServedComposition, model: string): Promise<string> {
  const reply = await ask(server, 'POST', '/v1/completions', { model, prompt: 'hi', max_tokens: 3 });
  const text = await reply.text();
  return reply.status === 200 ? JSON.parse(text).choices[0].text : `${reply.status} ${text}`;
}

async function run(server: ServedComposition): Promise<readonly [string, string | undefined]> {
  const body = { pipeline_id: 'small:latest', data: ['hi', { max_new_tokens: 2 }] };
  const { run_state: state, runnable } = runGetSchema.parse(await (await ask(server, 'POST', '/v2/runs', body)).json());
  return [state, runnable.id];
}

const serveSmall = (server: ServedComposition): Promise<Response> =>
  ask(server, 'POST', '/v2/admin/models/served', { model: 'small' });
const unserveSmall = (server: ServedComposition): Promise<Response> =>
  ask(server, 'DELETE', '/v2/admin/models/served/small');

test('a server without an engine takes requests for a model from when a worker begins to serve it until it ceases', async () => {
  const worker = await joinComputing('first', true);
  const api = await joinApi();
  assert.match(await complete(api, 'small'), /^404/);
  assert.equal((await serveSmall(worker)).status, 200);
  await lists(api, 'small');
  assert.equal(await complete(api, 'small'), 'bbb');
  assert.equal(await complete(api, 'first'), 'aaa');
  assert.deepEqual(await run(api), ['complete', SMALL]);
  const pipeline = pipelineGetSchema.parse(await (await ask(api, 'GET', '/v2/pipelines/small:latest')).json());
  assert.equal(pipeline.id, SMALL);
  const { data } = modelServingListSchema.parse(await (await ask(api, 'GET', '/v2/admin/models/served')).json());
  assert.deepEqual(
    data.map(({ name, from, model, state }) => [name, from, model, state]),
    [
      ['first', 'settings', null, 'loaded'],
      ['small', 'store', 'small.f32', 'loaded'],
    ],
  );

  const ended = await unserveSmall(api);
  assert.equal(ended.status, 200, await ended.text());
  await lists(worker, 'small', false);
  await lists(api, 'small', false);
  assert.match(await complete(api, 'small'), /^404/);
  assert.equal((await ask(api, 'POST', '/v2/runs', { pipeline_id: SMALL, data: ['hi', {}] })).status, 404);
});

test('a server with another data folder takes requests for it as well, and leaves its runs to the one that has it', async () => {
  const owner = await joinComputing('first', true);
  const other = await joinComputing('second', false);
  await serveSmall(owner);
  await lists(other, 'small');
  assert.equal(await complete(other, 'small'), 'bbb');
  assert.equal(await complete(other, 'second'), 'aaa');
  assert.deepEqual(await run(other), ['complete', SMALL]);
  assert.equal(owner.small.requests.length, 2);
  assert.equal(other.small.requests.length, 0);
  // Neither takes the other's first model, whose runs have the pipeline of both.
  assert.deepEqual(
    [await names(owner), await names(other)].map((each) => each.includes('second')),
    [false, true],
  );
  await unserveSmall(owner);
  await lists(other, 'small', false);
});

test('a model stays as long as one of the workers serves it', async () => {
  const workers = [await joinComputing('first', true), await joinComputing('first', true, 'c')];
  const api = await joinApi();
  await serveSmall(workers[0]!);
  await lists(workers[1]!, 'small');
  await lists(api, 'small');
  const [first, second] = workers;
  await servers.close(first!);
  await until(async () => (await complete(api, 'small')) === 'ccc');
  await unserveSmall(second!);
  await lists(api, 'small', false);
});

test('the adapters of all models follow those of the worker', async () => {
  const worker = await joinComputing('first', true);
  await serveSmall(worker);
  const api = await joinApi();
  assert.deepEqual((await names(api)).includes('small'), true);
  worker.first.useAdapters(['loud']);
  worker.small.useAdapters(['calm']);
  worker.changed();
  await lists(api, 'first:loud');
  await lists(api, 'small:calm');
  assert.equal(await complete(api, 'small:calm'), 'bbb');
  assert.equal(worker.small.requests.at(-1)?.config.lora?.[0]?.name, 'calm');
  worker.small.useAdapters([]);
  worker.changed();
  await lists(api, 'small:calm', false);
  assert.match(await complete(api, 'small:calm'), /^404/);
  await unserveSmall(worker);
});
