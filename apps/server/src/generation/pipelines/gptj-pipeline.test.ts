import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readGenerateParameters } from '@gptj-cloud/decoding';
import { GPTJ_6B } from '@gptj-cloud/model';
import { PickleTuple, type PickleValue } from '@gptj-cloud/pickle';
import { ApiError } from '@gptj-cloud/protocol';
import { byteTokenizer, createFakeEngine } from '../../testing/fake-model.ts';
import { prepareRun } from '../../testing/prepare-run.ts';
import { createDirectRunner } from '../../workers/job-runner.ts';
import type { TextModel } from '../text-model.ts';
import { createGptjPipeline, readGptjRun } from './gptj-pipeline.ts';
import { pipelineOf } from './pipeline-identity.ts';

const LIMIT =
  'GPT-J inference is limited to 2048 tokens. Reduce the prompt length and/or the expected generation length.';

/** A pipeline that keeps the parameters it passes to `generate`. */
function pipelineWithSeenFields() {
  const seen: Readonly<Record<string, unknown>>[] = [];
  const { contextLength, vocabSize, eosTokenId } = GPTJ_6B;
  const engine = createFakeEngine();
  const model: TextModel = {
    info: engine.info,
    tokenizer: byteTokenizer,
    readParameters: (fields, { defaults = {}, otherNames = [] } = {}) => {
      seen.push({ ...defaults, ...fields });
      const encodeText = (text: string) => byteTokenizer.encode(text, { limit: contextLength });
      return readGenerateParameters(fields, {
        contextLength,
        vocabSize,
        eosTokenId,
        encodeText,
        defaults,
        otherNames,
      });
    },
  };
  const pipeline = createGptjPipeline({
    identity: pipelineOf(engine.info.modelName, true),
    engine,
    tokenizer: byteTokenizer,
    jobs: createDirectRunner(model),
  });
  return { pipeline, seen, read: (input: PickleValue) => readGptjRun(model, input) };
}

const dict = (fields: Readonly<Record<string, PickleValue>>): Map<string, PickleValue> =>
  new Map(Object.entries(fields));

function fieldsFor(parameters: Readonly<Record<string, PickleValue>>): unknown {
  const { read, seen } = pipelineWithSeenFields();
  read(['prompt', dict(parameters)]);
  return seen[0];
}

async function outputsFor(prompt: string, parameters: Readonly<Record<string, PickleValue>>): Promise<unknown> {
  const run = await prepareRun(pipelineWithSeenFields().pipeline, [prompt, dict(parameters)]);
  return (await run.execute({ signal: new AbortController().signal })).outputs;
}

function refusal(input: PickleValue): {
  readonly code: string;
  readonly message: string;
  readonly parameters: unknown;
  readonly remedy: unknown;
} {
  try {
    pipelineWithSeenFields().read(input);
  } catch (error) {
    assert.ok(error instanceof ApiError, String(error));
    assert.equal(error.status, 400);
    return {
      code: error.code,
      message: error.message,
      parameters: error.details.parameters,
      remedy: error.details.remedy,
    };
  }
  assert.fail('nothing was refused');
}

test('accepts two inputs, a str and a dict, from a list or a tuple', () => {
  const { read } = pipelineWithSeenFields();
  read(new PickleTuple<never>(['hi', dict({})]));
  const messages: readonly (readonly [PickleValue, string])[] = [
    [[], 'Mismatch of number of inputs, expecting 2 got 0'],
    [['hi'], 'Mismatch of number of inputs, expecting 2 got 1'],
    ['hi', 'Mismatch of number of inputs, expecting 2 got 1'],
    [['hi', dict({}), 1n], 'Mismatch of number of inputs, expecting 2 got 3'],
    [[1n, dict({})], 'Input type mismatch, expecting str got int'],
    [[1.5, dict({})], 'Input type mismatch, expecting str got float'],
    [['hi', 'x'], 'Input type mismatch, expecting dict got str'],
    [['hi', null], 'Input type mismatch, expecting dict got None'],
    [['', dict({ output_scores: true })], 'Prompt must be a non-empty string.'],
  ];
  for (const [input, message] of messages) assert.equal(refusal(input).message, message);
});

test('refuses input of another shape and shows the expected one', () => {
  for (const input of [['hi'], 'hi', [7n, dict({})], ['hi', []]]) {
    assert.match(String(refusal(input).remedy), /\[prompt, \{parameters\}\]/);
  }
});

test('omits the prompt from the text by default; remove_input overrides include_input', async () => {
  const kept = [['hixx']];
  const dropped = [['xx']];
  const two = { response_length: 2n };
  assert.deepEqual(await outputsFor('hi', two), dropped);
  assert.deepEqual(await outputsFor('hi', { ...two, include_input: true }), kept);
  assert.deepEqual(await outputsFor('hi', { ...two, remove_input: false }), kept);
  assert.deepEqual(await outputsFor('hi', { ...two, remove_input: true }), dropped);
  assert.deepEqual(await outputsFor('hi', { ...two, include_input: true, remove_input: true }), dropped);
  assert.deepEqual(await outputsFor('hi', { ...two, include_input: false, remove_input: false }), kept);
  assert.deepEqual(refusal(['hi', dict({ remove_input: 1n })]).parameters, ['remove_input']);
});

test('response_length generates exactly that many tokens and overrides both lengths', () => {
  assert.deepEqual(fieldsFor({ response_length: 5n, max_length: 7n, min_length: 9n, temperature: 0.5 }), {
    min_length: 11,
    max_length: 11,
    temperature: 0.5,
    do_sample: true,
    pad_token_id: 50256,
  });
});

test('samples by default unless do_sample or num_beams is given', () => {
  assert.deepEqual(fieldsFor({ do_sample: false }), { do_sample: false, pad_token_id: 50256 });
  assert.deepEqual(fieldsFor({ num_beams: 2n, pad_token_id: 0n }), { num_beams: 2, pad_token_id: 0 });
});

test('penalty is another name of repetition_penalty and overrides it; None means absent', () => {
  assert.deepEqual(fieldsFor({ penalty: 1.5, repetition_penalty: 1.1, response_length: null, do_sample: true }), {
    repetition_penalty: 1.5,
    do_sample: true,
    pad_token_id: 50256,
  });
});

test('refuses a prompt and a length that together exceed the context', () => {
  const prompt = 'x'.repeat(48);
  for (const name of ['response_length', 'max_length', 'min_length']) {
    assert.equal(refusal([prompt, dict({ [name]: 2001n })]).message, LIMIT);
  }
  fieldsFor({ response_length: 2042n });
  pipelineWithSeenFields().read(['x'.repeat(2047), dict({ response_length: 1n })]);
  assert.equal(refusal(['x'.repeat(2048), dict({})]).message, LIMIT);
  assert.equal(refusal(['x'.repeat(3_000_000), dict({})]).message, LIMIT);
});

test('refuses parameters that the original pipeline refused, with its message, after checking lengths', () => {
  for (const name of ['attention_mask', 'output_attentions', 'output_hidden_states']) {
    const { message, parameters } = refusal(['hi', dict({ [name]: false })]);
    assert.equal(message, `Sorry, ${name} is not yet a supported parameter. Let us know if you want it added!`);
    assert.deepEqual(parameters, [name]);
  }
  assert.equal(refusal(['hi', dict({ attention_mask: true, max_length: 4000n })]).message, LIMIT);
});

test('response_length must be an integer, 64.0 included; values without a JSON form are refused by name', () => {
  assert.deepEqual(fieldsFor({ response_length: 64 }), fieldsFor({ response_length: 64n }));
  for (const value of [64.5, -1, Number.NaN, true, '64', -1n]) {
    assert.deepEqual(refusal(['hi', dict({ response_length: value })]).parameters, ['response_length']);
  }
  assert.deepEqual(refusal(['hi', dict({ temperature: Number.NaN })]).parameters, ['temperature']);
});

test('a parameter that generate refuses keeps its name and message', () => {
  const { code, message, parameters } = refusal(['hi', dict({ tempratur: 1.5, top_q: 1n })]);
  assert.equal(code, 'invalid_parameter');
  assert.match(message, /tempratur.*temperature/s);
  assert.deepEqual(parameters, ['tempratur', 'top_q']);
  for (const [slip, meant] of [
    ['response_lenght', 'response_length'],
    ['remove_inputs', 'remove_input'],
    ['penalti', 'penalty'],
  ] as const) {
    assert.match(refusal(['hi', dict({ [slip]: 1n })]).message, new RegExp(`did you mean ${meant}\\?`));
  }
  assert.match(refusal(['hi', dict({ bad_words: ['x'.repeat(2049)] })]).message, /at most 2048 tokens/);
});

test('return_dict_in_generate returns a dict of all requested results; without it, texts and a warning', async () => {
  const parameters = { response_length: 2n, include_input: true, return_dict_in_generate: true };
  assert.deepEqual(await outputsFor('hi', parameters), [
    { texts: ['hixx'], sequences: [[104, 105, 120, 120]], finish_reasons: ['length'] },
  ]);
  const { pipeline } = pipelineWithSeenFields();
  const asked = { response_length: 1n, logprobs: 2n, output_scores: true };
  const run = await prepareRun(pipeline, ['hi', dict(asked)]);
  const outcome = await run.execute({ signal: new AbortController().signal });
  assert.deepEqual(outcome.outputs, [['x']]);
  assert.match(outcome.warnings.join('\n'), /output_scores is ignored.*\n.*logprobs is not in the result/s);
});

test('emits tokens while they are generated, with the text of the result', async () => {
  const { pipeline } = pipelineWithSeenFields();
  const run = await prepareRun(pipeline, ['hi', dict({ response_length: 2n, num_return_sequences: 2n })]);
  const chunks: unknown[] = [];
  const signal = new AbortController().signal;
  const { outputs, usage } = await run.execute({ signal, onTokens: (chunk) => chunks.push(chunk) });
  const chunk = (index: number): unknown => ({ index, text: 'x', tokens: [120] });
  assert.deepEqual(chunks, [chunk(0), chunk(0), chunk(1), chunk(1)]);
  assert.deepEqual(outputs, [['xx', 'xx']]);
  assert.deepEqual([run.promptTokens, run.maxComputedTokens, usage.generatedTokens], [2, 6, 4]);
});
