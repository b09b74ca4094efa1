import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ParameterError } from '../parameter-error.ts';
import { givenParameters, readSplitSpecialTokens } from './given-parameters.ts';
import type { ParameterContext } from './parameter-context.ts';
import { parseGenerateParameters } from './parse-generate-parameters.ts';

const CONTEXT: ParameterContext = { vocabSize: 50400, contextLength: 256, eosTokenId: 50256, promptLength: 10 };

const parse = (input: unknown, context: Partial<ParameterContext>) =>
  parseGenerateParameters(input, { ...CONTEXT, ...context });

test('parameters inside generation_config count as given, and those beside it override them', () => {
  const given = givenParameters({ generation_config: { do_sample: false, top_k: 3, top_p: null }, top_k: 5 });
  assert.deepEqual([given.get('do_sample'), given.get('top_k'), given.has('top_p')], [false, 5, false]);
  assert.equal(givenParameters(undefined).size, 0);
  assert.throws(() => givenParameters({ generation_config: [1] }), ParameterError);
});

test("the request overrides a route's defaults, also inside generation_config", () => {
  const defaults = { do_sample: true, temperature: 0.7, max_new_tokens: 16 };
  const sampled = parse({}, { defaults }).config;
  assert.deepEqual([sampled.doSample, sampled.temperature, sampled.maxLength], [true, 0.7, 26]);
  const greedy = parse({ generation_config: { do_sample: false, max_new_tokens: 3 } }, { defaults }).config;
  assert.deepEqual([greedy.mode, greedy.maxLength], ['greedy', 13]);
  assert.equal(parse({ temperature: 2 }, { defaults }).config.temperature, 2);
});

test('any length in the request replaces a default length', () => {
  const defaults = { max_new_tokens: 16, min_new_tokens: 4 };
  const { config } = parse({ generation_config: { max_length: 12 }, min_length: 11 }, { defaults });
  assert.deepEqual([config.maxLength, config.minLength], [12, 11]);
});

test('warnings never mention defaults', () => {
  assert.deepEqual(parse({ do_sample: false }, { defaults: { temperature: 0.7, length_penalty: 2 } }).warnings, []);
});

test('reduces a default length to the free context, but not a length in the request', () => {
  const defaults = { max_new_tokens: 100 };
  assert.equal(parse({}, { defaults, promptLength: 248 }).config.maxLength, 256);
  assert.equal(parse({}, { defaults: { max_length: 300 } }).config.maxLength, 256);
  assert.throws(() => parse({ max_new_tokens: 100 }, { defaults, promptLength: 248 }), /at most 8 new tokens/);
  assert.throws(() => parse({}, { defaults, promptLength: 256 }), /prompt: expected at most 255 tokens/);
});

test('a default length leaves room for a negative prompt that is longer than the prompt', () => {
  const negative = { guidance_scale: 2, negative_prompt_ids: new Array(250).fill(1) };
  assert.equal(parse(negative, {}).config.maxLength, 16);
  assert.equal(parse(negative, { defaults: { max_new_tokens: 100 } }).config.maxLength, 16);
});

test('passes split_special_tokens to the encoder of texts, also from inside generation_config', () => {
  const seen: unknown[] = [];
  const encodeText: ParameterContext['encodeText'] = (_text, options) => {
    seen.push(options?.splitSpecialTokens);
    return [1];
  };
  for (const input of [
    { bad_words: [' a'] },
    { bad_words: [' a'], split_special_tokens: true },
    { generation_config: { bad_words: [' a'], split_special_tokens: true } },
  ]) {
    parse(input, { encodeText });
  }
  assert.deepEqual(seen, [false, true, true]);
  assert.equal(parse({ split_special_tokens: true }, {}).config.splitSpecialTokens, true);
});

test('split_special_tokens can be read before the prompt is tokenised', () => {
  assert.equal(readSplitSpecialTokens({}), false);
  assert.equal(readSplitSpecialTokens({ split_special_tokens: true }), true);
  assert.equal(readSplitSpecialTokens({ generation_config: { split_special_tokens: true } }), true);
  assert.throws(
    () => readSplitSpecialTokens({ split_special_tokens: 1 }),
    /split_special_tokens: expected true or false/,
  );
});

test('text with half of a surrogate pair is refused', () => {
  const encodeText = () => [1];
  for (const input of [
    { stop_strings: '\ud83d' },
    { stop_strings: ['ok', 'x\udca8'] },
    { stopping_criteria: [{ type: 'stop_strings', stop_strings: '\ud83d' }] },
    { bad_words: ['\ud83d'] },
    { sequence_bias: { '\ud83d': 1 } },
    { num_beams: 2, force_words: ['\ud83d'] },
    { prefix_allowed_tokens_fn: { regex: '\ud83d' } },
  ]) {
    assert.throws(() => parse(input, { encodeText }), /surrogate/, JSON.stringify(input));
  }
  assert.deepEqual(parse({ stop_strings: '\ud83d\udca8' }, {}).config.stopStrings, ['💨']);
});
