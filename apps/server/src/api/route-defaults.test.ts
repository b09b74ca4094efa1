/** Each route's defaults, and what the caller says against them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GenerateConfig } from '@gptj-cloud/decoding';
import { type JsonValue, readPickle, writePickle } from '@gptj-cloud/pickle';
import { createGptjPipeline } from '../generation/pipelines/gptj-pipeline.ts';
import { pipelineOf } from '../generation/pipelines/pipeline-identity.ts';
import { createDirectApp } from '../testing/direct-app.ts';
import { prepareRun } from '../testing/prepare-run.ts';
import { createScriptedEngine } from '../testing/scripted-engine.ts';
import { byteModel, bytesOf } from '../testing/scripted-model.ts';
import { createDirectRunner } from '../workers/job-runner.ts';

type Parameters = Readonly<Record<string, JsonValue>>;
/** The parameters with which a request of a route reaches the engine. */
type Route = (prompt: string, parameters?: Parameters) => Promise<GenerateConfig>;

const engine = createScriptedEngine(({ config }) => ({
  sequences: Array.from({ length: config.numReturnSequences }, () => bytesOf('x')),
}));
const model = byteModel(engine);
const { get, post } = createDirectApp({ engine, model });
const pipeline = createGptjPipeline({
  identity: pipelineOf(engine.info.modelName, true),
  engine,
  tokenizer: model.tokenizer,
  jobs: createDirectRunner(model),
});

async function configOf(path: string, body: object): Promise<GenerateConfig> {
  const reply = await post(path, body);
  assert.equal(reply.status, 200, await reply.text());
  return engine.requests.at(-1)!.config;
}

const run: Route = async (prompt, parameters = {}) => {
  const prepared = await prepareRun(pipeline, readPickle(writePickle([prompt, parameters])));
  await prepared.execute({ signal: new AbortController().signal });
  return engine.requests.at(-1)!.config;
};
const completions: Route = (prompt, parameters = {}) => configOf('/v1/completions', { prompt, ...parameters });
const inputs = (path: string): Route => {
  return (prompt, parameters) =>
    configOf(path, { inputs: prompt, ...(parameters === undefined ? {} : { parameters }) });
};
const [generate, compat, inference] = [inputs('/generate'), inputs('/'), inputs('/models/gpt-j-6b')];
const mesh: Route = (prompt, parameters = {}) => configOf('/complete', { context: prompt, ...parameters });

const ALL: readonly (readonly [name: string, route: Route])[] = [
  ['run', run],
  ['completions', completions],
  ['generate', generate],
  ['compat', compat],
  ['inference', inference],
];

test('each route has its documented defaults for sampling and length', async () => {
  const expected: readonly (readonly [Route, Parameters | undefined, boolean, number, number])[] = [
    [run, {}, true, 50, 20],
    [completions, {}, true, 0, 16],
    [completions, { temperature: 0 }, false, 50, 16],
    [generate, {}, false, 50, 100],
    [generate, undefined, true, 0, 100],
    [generate, { temperature: 0.5 }, true, 0, 100],
    [compat, {}, false, 50, 100],
    [inference, {}, true, 50, 100],
    [mesh, {}, true, 0, 512],
  ];
  for (const [route, parameters, sampled, topK, newTokens] of expected) {
    const config = await route('ab', parameters);
    assert.deepEqual([config.doSample, config.topK, config.maxLength], [sampled, topK, 2 + newTokens]);
  }
  const { topP, temperature, filterBeforeTemperature } = await mesh('ab');
  assert.deepEqual([topP, temperature, filterBeforeTemperature], [0.9, 1, true]);
});

test('reduces a default length to the free context, and refuses a requested length that does not fit', async () => {
  const prompt = 'x'.repeat(2045);
  for (const [name, route] of [...ALL, ['mesh', mesh] as const]) {
    assert.equal((await route(prompt, {})).maxLength, 2048, name);
  }
  const several = await post('/v1/completions', { prompt: [prompt, 'x'] });
  assert.equal(several.status, 200);
  assert.deepEqual(
    engine.requests.slice(-2).map(({ config }) => config.maxLength),
    [2048, 17],
  );
  for (const [path, body] of [
    ['/v1/completions', { prompt, max_tokens: 16 }],
    ['/generate', { inputs: prompt, parameters: { max_new_tokens: 16 } }],
    ['/models/gpt-j-6b', { inputs: prompt, parameters: { max_length: 2049 } }],
    ['/complete', { context: prompt, response_length: 16 }],
  ] as const) {
    const reply = await post(path, body);
    assert.ok(reply.status === 400 || reply.status === 422);
    assert.match(await reply.text(), /at most 3 new tokens/);
  }
});

test('the request overrides every default, also inside generation_config', async () => {
  for (const [name, route] of ALL) {
    const config = { do_sample: false, max_new_tokens: 6, stop_strings: ['##'], repetition_penalty: 1.5 };
    const inside = await route('ab', { generation_config: config });
    assert.deepEqual(
      [inside.mode, inside.maxLength, inside.stopStrings, inside.repetitionPenalty],
      ['greedy', 8, ['##'], 1.5],
      name,
    );
    const sampled = await route('ab', {
      generation_config: { do_sample: true, top_k: 7, temperature: 0.5, top_p: 0.25 },
    });
    assert.deepEqual([sampled.mode, sampled.topK, sampled.temperature, sampled.topP], ['sample', 7, 0.5, 0.25], name);
    const beams = await route('ab', { generation_config: { num_beams: 3, do_sample: false } });
    assert.deepEqual([beams.mode, beams.numBeams], ['beam', 3], name);
    // Beside it wins over inside.
    const both = await route('ab', { do_sample: false, generation_config: { do_sample: true, seed: 3 } });
    assert.deepEqual([both.mode, both.seed], ['greedy', 3], name);
    const nulls = await route('ab', { do_sample: null, generation_config: { do_sample: false, top_k: null } });
    assert.equal(nulls.mode, 'greedy', name);
  }
  assert.equal((await inference('ab', { generation_config: { max_length: 5 } })).maxLength, 5);
  assert.equal((await run('ab', { generation_config: { max_length: 5 } })).maxLength, 5);
});

test('modes that exclude sampling are selected without do_sample', async () => {
  for (const [name, route] of ALL) {
    assert.equal((await route('ab', { penalty_alpha: 0.6, top_k: 4 })).mode, 'contrastive', name);
    assert.equal((await route('ab', { num_beams: 2, num_beam_groups: 2, diversity_penalty: 0.5 })).mode, 'group', name);
    assert.equal((await route('ab', { num_beams: 2, force_words_ids: [[97]] })).mode, 'constrained', name);
  }
  assert.equal((await run('ab', { num_beams: 2 })).mode, 'beam');
  assert.equal((await completions('ab', { num_beams: 2 })).mode, 'beam');
  assert.equal((await inference('ab', { num_beams: 2 })).mode, 'beam-sample');
});

test('a generation_config that generate refuses is refused by name', async () => {
  for (const config of ['greedy', { generation_config: {} }, { compat: '4.25' }, { temperatur: 1 }]) {
    const reply = await post('/v1/completions', { prompt: 'a', generation_config: config });
    assert.equal(reply.status, 400);
    assert.match(await reply.text(), /generation_config|compat|temperatur/);
  }
  const old = await post('/v1/completions', { prompt: 'a', compat: '4.25', generation_config: {} });
  assert.match(await old.text(), /generation_config.*exists only in 5\.18/);
});

test('accepts the same number of stop strings as generate', async () => {
  const stop = Array.from({ length: 64 }, (_, at) => `stop ${at}`);
  for (const [name, route] of [
    ['completions', completions],
    ['generate', generate],
    ['inference', inference],
  ] as const) {
    assert.equal((await route('ab', { stop })).stopStrings.length, 64, name);
    assert.deepEqual((await route('ab', { stop_sequences: ['a'] })).stopStrings, ['a'], name);
    assert.deepEqual((await route('ab', { stop: 'a', stop_sequences: ['b'] })).stopStrings, ['a', 'b'], name);
    assert.deepEqual((await route('ab', { stop: [] })).stopStrings, [], name);
  }
  const { max_stop_sequences } = (await (await get('/info')).json()) as {
    max_stop_sequences: number;
  };
  assert.equal(max_stop_sequences, 64);
});
