import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GPTJ_6B, ModelError } from '@gptj-cloud/model';
import { createDirectApp, readData } from '../../testing/direct-app.ts';
import { createScriptedEngine, type Script } from '../../testing/scripted-engine.ts';
import { byteModel, bytesOf } from '../../testing/scripted-model.ts';

function open(script: Script = { sequences: [bytesOf('xyz')] }) {
  const engine = createScriptedEngine(() => script);
  return { ...createDirectApp({ engine, model: byteModel(engine) }), engine };
}

const HUB = '/models/EleutherAI/gpt-j-6b';

test('/generate returns the continuation, the Inference API and the root an array of whole texts', async () => {
  const { post } = open();
  const ask = async (path: string, parameters: object = {}) =>
    (await (await post(path, { inputs: 'ab', parameters })).json()) as unknown;
  assert.deepEqual(await ask('/generate'), { generated_text: 'xyz' });
  assert.deepEqual(await ask('/'), [{ generated_text: 'abxyz' }]);
  assert.deepEqual(await ask(HUB), [{ generated_text: 'abxyz' }]);
  assert.deepEqual(await ask('/generate', { return_full_text: true }), { generated_text: 'abxyz' });
  assert.deepEqual(await ask(HUB, { return_full_text: false }), [{ generated_text: 'xyz' }]);
});

test('TGI decodes greedily by default, the Inference API samples with top_k 50', async () => {
  const { post, engine } = open();
  const bodies: readonly (readonly [string, object])[] = [
    ['/generate', { inputs: 'ab', parameters: {} }],
    ['/generate', { inputs: 'ab' }],
    ['/generate', { inputs: 'ab', parameters: { temperature: 0.5 } }],
    ['/generate', { inputs: 'ab', parameters: { do_sample: false, top_k: 5 } }],
    [HUB, { inputs: 'ab', parameters: {}, options: { use_cache: false, wait_for_model: true } }],
  ];
  for (const [path, body] of bodies) await post(path, body);
  assert.deepEqual(
    engine.requests.map(({ config }) => [config.mode, config.doSample ? config.topK : null, config.maxLength]),
    [
      ['greedy', null, 102],
      ['sample', 0, 102],
      ['sample', 0, 102],
      ['greedy', null, 102],
      ['sample', 50, 102],
    ],
  );
});

test('passes parameters to the engine; truncate keeps the end of the prompt', async () => {
  const { post, engine } = open();
  await post('/generate', {
    inputs: 'abcdef',
    parameters: {
      truncate: 2,
      max_new_tokens: 7,
      stop: ['!'],
      watermark: true,
      typical_p: 0.5,
      top_p: 0.5,
      seed: 3,
      repetition_penalty: 1.2,
      frequency_penalty: 0.5,
      no_repeat_ngram_size: 2,
    },
  });
  const { prompt, config } = engine.requests[0]!;
  assert.deepEqual(prompt, bytesOf('ef'));
  assert.deepEqual([config.maxLength, config.stopStrings, config.stopInPrompt], [9, ['!'], false]);
  assert.deepEqual([config.typicalP, config.topP, config.seed, config.repetitionPenalty], [0.5, 0.5, 3, 1.2]);
  assert.deepEqual([config.frequencyPenalty, config.noRepeatNgramSize], [0.5, 2]);
  assert.deepEqual([config.watermark?.greenlistRatio, config.watermark?.bias], [0.5, 2]);
});

test('details list every token, and those of the prompt with decoder_input_details', async () => {
  const { post } = open({ sequences: [[...bytesOf('é'), GPTJ_6B.eosTokenId]], finishReason: 'eos' });
  const parameters = { details: true, decoder_input_details: true, top_n_tokens: 1 };
  const reply = (await (await post('/generate', { inputs: 'ab', parameters })).json()) as {
    details: Record<string, unknown>;
  };
  assert.deepEqual(reply, {
    generated_text: 'é',
    details: {
      finish_reason: 'eos_token',
      generated_tokens: 3,
      seed: null,
      prefill: [
        { id: 97, text: 'a', logprob: null },
        { id: 98, text: 'b', logprob: null },
      ],
      tokens: [
        { id: 0xc3, text: '', logprob: -1.95, special: false },
        { id: 0xa9, text: 'é', logprob: -1.69, special: false },
        { id: 50256, text: '', logprob: -502.56, special: true },
      ],
      top_tokens: [
        [{ id: 0xc4, text: '\ufffd', logprob: -0.975, special: false }],
        [{ id: 0xaa, text: '\ufffd', logprob: -0.845, special: false }],
        [{ id: 50257, text: '', logprob: -251.28, special: false }],
      ],
    },
  });
});

test('best_of returns the sequence most likely per token, the others in details; /models returns several', async () => {
  const { post, engine } = open({ sequences: [bytesOf('zz'), bytesOf('a')] });
  const parameters = { best_of: 2, do_sample: true, details: true };
  const reply = (await (await post('/generate', { inputs: 'ab', parameters })).json()) as {
    generated_text: string;
    details: { best_of_sequences: { generated_text: string }[] };
  };
  assert.equal(reply.generated_text, 'a');
  assert.deepEqual(
    reply.details.best_of_sequences.map((one) => one.generated_text),
    ['zz'],
  );
  assert.equal(engine.requests[0]!.config.numReturnSequences, 2);
  const several = await post(HUB, { inputs: 'p', parameters: { num_return_sequences: 2, return_full_text: false } });
  assert.deepEqual(await several.json(), [{ generated_text: 'zz' }, { generated_text: 'a' }]);
});

test('streams one event per token, the last one with the whole text', async () => {
  for (const [path, body] of [
    ['/generate_stream', {}],
    ['/generate', { stream: true }],
    [HUB, { stream: true }],
  ] as const) {
    const { post } = open({ sequences: [bytesOf('xé')] });
    const reply = await post(path, { inputs: 'ab', parameters: { details: true }, ...body });
    assert.match(reply.headers.get('content-type') ?? '', /^text\/event-stream/);
    const events = (await readData(reply)).map((line) => JSON.parse(line) as Record<string, unknown>);
    const empty = { generated_text: null, details: null };
    assert.deepEqual(events, [
      { index: 1, token: { id: 120, text: 'x', logprob: -1.2, special: false }, ...empty },
      { index: 2, token: { id: 0xc3, text: '', logprob: -1.95, special: false }, ...empty },
      {
        index: 3,
        token: { id: 0xa9, text: 'é', logprob: -1.69, special: false },
        generated_text: path === HUB ? 'abxé' : 'xé',
        details: { finish_reason: 'length', generated_tokens: 3, seed: null, input_length: 2 },
      },
    ]);
  }
});

test('accepts the fields that Hugging Face clients send beside inputs', async () => {
  const { post } = open();
  const options = { use_cache: false, wait_for_model: true, dont_load_model: false };
  for (const model of ['EleutherAI/gpt-j-6b', 'http://127.0.0.1:8080', 'tgi']) {
    assert.equal((await post('/', { model, inputs: 'a', options })).status, 200);
  }
});

test('sends a failure in the middle of a stream as an event with an error type', async () => {
  const error = new ModelError('engine_failed', 'the engine process ended');
  const { post } = open({ sequences: [bytesOf('xyz')], failure: { after: 2, error } });
  const data = await readData(await post('/generate_stream', { inputs: 'p' }));
  const last = JSON.parse(data.at(-1)!) as { error: string; error_type: string };
  assert.equal(last.error_type, 'unavailable');
  assert.match(last.error, /engine process ended; wait 5 seconds and send the request again$/);
});

test('refuses invalid requests with the name of the field and the status of TGI', async () => {
  const cases: readonly (readonly [string, object, RegExp])[] = [
    ['/generate', {}, /^inputs: expected a non-empty string/],
    ['/generate', { inputs: ['a', 'b'] }, /^inputs: .*one prompt a request/],
    ['/generate', { inputs: 'a', prompt: 'b' }, /^prompt: unknown/],
    ['/generate', { inputs: 'a', parameters: { grammar: {} } }, /^grammar: .*prefix_allowed_tokens_fn/],
    [
      '/generate',
      { inputs: 'a', parameters: { adapter_id: 'x' } },
      /^adapter_id: expected no adapters, as this model has none/,
    ],
    ['/generate', { inputs: 'a', parameters: { temperatur: 1 } }, /temperatur.*did you mean temperature/],
    ['/generate', { inputs: 'a', parameters: { best_of: 2 } }, /^best_of: .*do_sample/],
    ['/generate', { inputs: 'a', parameters: { num_return_sequences: 2 } }, /^num_return_sequences: .*best_of/],
    ['/generate_stream', { inputs: 'a', parameters: { best_of: 2, do_sample: true } }, /^best_of: .*streamed/],
    ['/generate_stream', { inputs: 'a', parameters: { decoder_input_details: true } }, /^decoder_input_details/],
    [
      '/generate',
      { inputs: 'a', parameters: { stop: Array.from({ length: 65 }, () => 'a') } },
      /^stop: expected at most 64/,
    ],
    ['/generate', { inputs: 'a', parameters: { stop: [''] } }, /^stop: expected non-empty/],
    ['/generate', { inputs: 'a', parameters: { max_new_tokens: 0 } }, /^max_new_tokens: /],
    ['/generate', { inputs: 'x'.repeat(2048) }, /^inputs: expected at most 2047 tokens/],
    ['/generate', { inputs: 'a', options: { use_gpu: 1 } }, /^options\.use_gpu: expected true or false/],
    [HUB, { inputs: 'a', parameters: { temperature: 0 } }, /^temperature: .*do_sample/],
  ];
  for (const [path, body, message] of cases) {
    const { post, engine } = open();
    const reply = await post(path, body);
    const got = (await reply.json()) as { error: string; error_type: string };
    assert.deepEqual([reply.status, got.error_type], [422, 'validation'], JSON.stringify([body, got]));
    assert.match(got.error, message);
    assert.equal(engine.requests.length, 0);
  }
  const { post } = open();
  assert.equal((await post('/models/gpt2', { inputs: 'a' })).status, 404);
  assert.equal((await post('/generate', { inputs: 'a', model: 'gpt2' })).status, 404);
});

test('describes the model at /info and answers /health', async () => {
  const { get } = open();
  const info = (await (await get('/info')).json()) as Record<string, unknown>;
  assert.deepEqual(
    [info.model_id, info.max_input_tokens, info.max_total_tokens, info.model_pipeline_tag],
    ['scripted', 2047, 2048, 'text-generation'],
  );
  const health = await get('/health');
  assert.deepEqual([health.status, await health.text()], [200, '']);
});
