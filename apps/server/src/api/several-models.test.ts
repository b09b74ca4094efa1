/** A server with two models, through each API. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { engineGetSchema, serverGetSchema } from '@gptj-cloud/protocol';
import { pipelineOf } from '../generation/pipelines/pipeline-identity.ts';
import { openTestApp, type TestApp } from '../testing/test-app.ts';
import { createTwoModels, type TwoModels } from '../testing/two-models.ts';

let models: TwoModels;
let it: TestApp;
before(async () => {
  models = createTwoModels(2);
  const { first, second } = models;
  it = await openTestApp({ generator: first.engine, hosted: first.hosted, otherModels: [second] });
});
after(async () => {
  await it.close();
  await models.host.close();
});

const SECOND = pipelineOf('second', false).id;

/** Fields of the replies that the tests read. */
interface Reply {
  readonly id: string;
  readonly model: string;
  readonly choices: readonly { readonly text: string }[];
  readonly data: readonly { readonly id: string; readonly name: string }[];
  readonly total: number;
  readonly count: number;
  readonly generated_text: string;
  readonly completion: string;
  readonly tokens: readonly number[];
  readonly run_state: string;
  readonly result_preview: unknown;
  readonly error_info: { readonly exception: string } | null;
}

/** The JSON of a GET. */
async function read(path: string): Promise<Reply> {
  return JSON.parse(await (await it.request(path)).text());
}

/** The JSON of a POST that succeeds. */
async function send<Body = Reply>(path: string, body: unknown): Promise<Body> {
  const reply = await it.post(path, body);
  const text = await reply.text();
  assert.equal(reply.status, 200, text);
  return JSON.parse(text);
}

test('reports that no model is loaded before it is asked for, and answers /readyz all the same', async () => {
  const server = serverGetSchema.parse(await (await it.request('/v2/server')).json());
  assert.deepEqual(
    server.models.map(({ name, pipeline_id: id, state }) => [name, id, state]),
    [
      ['first', pipelineOf('first', true).id, 'unloaded'],
      ['second', SECOND, 'unloaded'],
    ],
  );
  assert.equal(server.model, 'first');
  assert.equal((await it.request('/readyz')).status, 200);
});

test('the model of a completion is the one that it names, in the body or the address', async () => {
  const complete = { prompt: 'x', max_tokens: 3 };
  const textOf = ({ choices, model }: Reply): readonly unknown[] => [model, choices[0]?.text];
  assert.deepEqual(textOf(await send('/v1/completions', complete)), ['first', 'aaa']);
  assert.deepEqual(textOf(await send('/v1/completions', { ...complete, model: 'SECOND' })), ['second', 'bbb']);
  assert.deepEqual(textOf(await send('/v1/completions', { ...complete, model: 'gpt-j-6b' })), ['first', 'aaa']);
  assert.deepEqual(textOf(await send('/v1/engines/second/completions', complete)), ['second', 'bbb']);
  assert.deepEqual(textOf(await send('/models/second/v1/completions', complete)), ['second', 'bbb']);
  const unknown = await it.post('/v1/completions', { ...complete, model: 'third' });
  assert.equal(unknown.status, 404);
  assert.match(await unknown.text(), /first, second, EleutherAI/);
});

test('streams the text of the model that is named', async () => {
  const reply = await it.post('/v1/completions', { prompt: 'x', max_tokens: 2, model: 'second', stream: true });
  assert.match(await reply.text(), /"model":"second".*"text":"b"/);
});

test('lists both models under their own names', async () => {
  const { data } = await read('/v1/models');
  assert.deepEqual(
    data.map(({ id }) => id),
    ['first', 'second', 'EleutherAI/gpt-j-6b', 'gpt-j-6b'],
  );
  assert.equal((await read('/v1/models/second')).id, 'second');
});

test('text-generation-inference chooses by the body, the Inference API by the address', async () => {
  const inputs = { inputs: 'x', parameters: { max_new_tokens: 2 } };
  assert.equal((await send('/generate', inputs)).generated_text, 'aa');
  assert.equal((await send('/generate', { ...inputs, model: 'second' })).generated_text, 'bb');
  const hub = { inputs: 'x', parameters: { max_new_tokens: 2, return_full_text: false } };
  assert.equal((await send<readonly Reply[]>('/models/second', hub))[0]?.generated_text, 'bb');
  assert.equal((await send('/complete', { context: 'x', response_length: 2 })).completion, 'aa');
});

test('a run is of the model of its pipeline, by id and by tag, and is listed and metered under it', async () => {
  const data = ['x', { max_new_tokens: 2 }];
  for (const [pipeline, text] of [
    [pipelineOf('first', true).id, 'aa'],
    [SECOND, 'bb'],
    ['second:latest', 'bb'],
  ] as const) {
    const run = await send('/v2/runs', { pipeline_id: pipeline, data });
    assert.equal(run.run_state, 'complete');
    assert.deepEqual(run.result_preview, [[text]]);
  }
  const listed = await read(`/v2/runs?pipeline_id=${SECOND}`);
  assert.equal(listed.total, 2);
  const names = (await read('/v2/pipelines')).data.map(({ name }) => name);
  assert.deepEqual(names, ['GPT-J 6B', 'second']);
});

test('tokens are those of the model that is named', async () => {
  assert.deepEqual((await send('/v2/tokenize', { text: 'ab', model: 'second' })).tokens, [97, 98]);
  assert.equal((await it.post('/v2/tokenize', { text: 'ab', model: 'third' })).status, 404);
  assert.equal((await send('/tokenize', { prompt: 'ab', model: 'second' })).count, 2);
});

test('the state, the engine and the metrics of each model are reported', async () => {
  const reply = engineGetSchema.parse(await (await it.request('/v2/engine?model=second')).json());
  assert.deepEqual([reply.model.name, reply.pipeline_id, reply.state], ['second', SECOND, 'ready']);
  assert.deepEqual(
    reply.models.map(({ name, state, planned_bytes: bytes, running }) => [name, state, bytes, running]),
    [
      ['first', 'loaded', 1, 0],
      ['second', 'loaded', 1, 0],
    ],
  );
  assert.equal((await it.request('/v2/engine?model=third')).status, 404);
  const metrics = await (await it.request('/metrics')).text();
  assert.match(metrics, /^gptj_generated_tokens_total\{model="second"\} \d+$/m);
  assert.match(metrics, /^gptj_model_state\{model="first",state="loaded"\} 1$/m);
  assert.match(metrics, /^gptj_build_info\{version="[^"]+",model="second",/m);
});

test('a request waits while its model loads, with its progress in view, and requests to the other go on', async () => {
  const { host } = models;
  await host.models[1]?.unload();
  const letGo = models.hold('second');
  const waiting = send('/v1/completions', { prompt: 'x', max_tokens: 1, model: 'second' });
  const state = async (): Promise<unknown> => {
    const { models: all } = serverGetSchema.parse(await (await it.request('/v2/server')).json());
    return [all[1]?.state, all[1]?.progress];
  };
  while (host.models[1]?.state !== 'loading') await new Promise(setImmediate);
  assert.deepEqual(await state(), ['loading', 0.25]);
  assert.equal((await send('/v1/completions', { prompt: 'x', max_tokens: 1 })).choices[0]?.text, 'a');
  letGo();
  assert.equal((await waiting).choices[0]?.text, 'b');
});

test('a model that cannot be loaded fails its own requests and runs, and no other; clients do not learn of its files', async () => {
  await models.host.models[1]?.unload();
  models.fail('second', new Error('/secret/model.gguf: no such file'));
  const refused = await it.post('/v1/completions', { prompt: 'x', model: 'second' });
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '30']);
  const text = await refused.text();
  assert.match(text, /the model second could not be loaded/);
  assert.doesNotMatch(text, /no such file/);
  const { models: all } = engineGetSchema.parse(await (await it.request('/v2/engine')).json());
  assert.deepEqual([all[1]?.state, all[0]?.state], ['failed', 'loaded']);
  assert.equal(all[1]?.reason, 'it could not be loaded');
  assert.equal((await it.request('/readyz')).status, 200);
  models.skipRetryPause();
  models.fail('second', new Error('still none'));
  const run = await send('/v2/runs', { pipeline_id: SECOND, data: ['x', {}] });
  assert.deepEqual(
    [run.run_state, run.error_info?.exception],
    ['failed', 'model_unavailable: the model second could not be loaded'],
  );
  models.skipRetryPause();
  assert.equal((await send('/v1/completions', { prompt: 'x', max_tokens: 1, model: 'second' })).choices[0]?.text, 'b');
});
