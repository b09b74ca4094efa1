import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ParameterError, type ParameterErrorCode } from '../parameter-error.ts';
import type { ParameterContext } from './parameter-context.ts';
import { parseGenerateParameters, readGenerateParameters } from './parse-generate-parameters.ts';

const CONTEXT: ParameterContext = {
  vocabSize: 50400,
  contextLength: 2048,
  eosTokenId: 50256,
  promptLength: 10,
  encodeText: (text) => [...text].map((character) => character.charCodeAt(0)),
};

const parse = (params: unknown, context: Partial<ParameterContext> = {}) =>
  parseGenerateParameters(params, { ...CONTEXT, ...context });

function refused(
  params: unknown,
  code: ParameterErrorCode,
  parameters: readonly string[],
  message: RegExp,
  context = {},
) {
  assert.throws(
    () => parse(params, context),
    (error) => {
      assert.ok(error instanceof ParameterError, String(error));
      assert.equal(error.code, code);
      assert.deepEqual(error.parameters, parameters);
      assert.match(error.message, message);
      return true;
    },
  );
}

test('without parameters, decodes greedily up to 20 new tokens (5.18) or 20 tokens in total (4.25)', () => {
  const { config, warnings } = parse({});
  assert.equal(config.mode, 'greedy');
  assert.equal(config.maxLength, 30);
  assert.deepEqual(config.eosTokenIds, [50256]);
  assert.equal(config.padTokenId, 50256);
  assert.deepEqual(warnings, []);
  assert.equal(parse({ compat: '4.25' }).config.maxLength, 20);
  assert.equal(parse({}, { promptLength: 2040 }).config.maxLength, 2048);
  assert.deepEqual(parse(null).config, config);
});

test('prompts of one length share their configuration', () => {
  const read = readGenerateParameters({ max_new_tokens: 4 }, CONTEXT);
  assert.equal(read(10).config, read(10).config);
  assert.equal(read(11).config.maxLength, 15);
  for (let times = 0; times < 2; times++) assert.throws(() => read(4000), ParameterError);
});

test('a configuration is plain data', () => {
  const params = {
    do_sample: true,
    bad_words: ['x'],
    watermarking_config: {},
    logits_processor: [{ type: 'top_k', value: 3 }],
    stop_strings: 'a',
  };
  const { config } = parse(params);
  assert.deepEqual(structuredClone(config), config);
  assert.deepEqual(JSON.parse(JSON.stringify(config)), config);
});

test('warns of a minimum length beyond the limit, under its name in the request', () => {
  const warned = (params: object) => parse(params).warnings.map((warning) => warning.split(' ', 3).join(' '));
  assert.deepEqual(warned({ min_new_tokens: 10, max_new_tokens: 5 }), ['min_new_tokens lies beyond']);
  assert.deepEqual(warned({ min_length: 30, max_length: 20 }), ['min_length lies beyond']);
  assert.deepEqual(warned({ min_new_tokens: 5, max_new_tokens: 5 }), []);
});

test('unknown names are listed all at once, with the nearest known name', () => {
  refused(
    { max_tokens: 5, Temperature: 1, zzzzzzzz: 1 },
    'unknown_parameter',
    ['max_tokens', 'Temperature', 'zzzzzzzz'],
    /max_new_tokens\?.*did you mean temperature\?.*"zzzzzzzz"$/,
  );
  refused({ response_lenght: 5 }, 'unknown_parameter', ['response_lenght'], /"$/);
  refused({ response_lenght: 5 }, 'unknown_parameter', ['response_lenght'], /did you mean response_length\?/, {
    otherNames: ['response_length'],
  });
  refused({ forced_decoder_ids: [[1, 2]] }, 'unknown_parameter', ['forced_decoder_ids'], /exists only in 4\.25/);
  refused({ min_p: 0.1, compat: '4.25' }, 'unknown_parameter', ['min_p'], /transformers 4\.25/);
  refused(
    JSON.parse('{"__proto__": 1, "constructor": 2}'),
    'unknown_parameter',
    ['__proto__', 'constructor'],
    /__proto__/,
  );
  refused({ compat: '4.30' }, 'invalid_parameter', ['compat'], /"5\.18" or "4\.25"/);
  refused([1], 'invalid_parameter', ['parameters'], /an object/);
});

test('parameters that only transformers has are refused with unsupported_parameter', () => {
  refused({ assistant_model: 'x' }, 'unsupported_parameter', ['assistant_model'], /chooses the draft model/);
  refused({ token_healing: true }, 'unsupported_parameter', ['token_healing'], /not offered/);
  refused({ output_attentions: true }, 'unsupported_parameter', ['output_attentions'], /not offered/);
  refused(
    { watermarking_config: { ngram_len: 5, keys: [1] } },
    'unsupported_parameter',
    ['watermarking_config'],
    /SynthID/,
  );
  refused({ dola_layers: 'low' }, 'unsupported_parameter', ['dola_layers'], /inner layers/);
  refused({ attention_mask: [1, 0] }, 'invalid_parameter', ['attention_mask'], /ones/);
  refused(
    { guidance_scale: 2, penalty_alpha: 0.5, top_k: 4 },
    'unsupported_parameter',
    ['guidance_scale'],
    /contrastive/,
  );
  assert.equal(parse({ token_healing: false, output_attentions: false, attention_mask: [1, 1] }).warnings.length, 0);
});

test('null means absent, 2 and 2.0 are equal, booleans are not numbers', () => {
  assert.deepEqual(parse({ temperature: null, foo: null }).config, parse({}).config);
  assert.equal(parse({ do_sample: true, temperature: 2, top_k: 3.0 }).config.topK, 3);
  for (const params of [
    { top_k: true },
    { do_sample: 1 },
    { temperature: '1' },
    { top_p: Number.NaN },
    { min_length: 1.5 },
    { num_beams: Number.POSITIVE_INFINITY },
  ]) {
    refused(
      params,
      'invalid_parameter',
      Object.keys(params),
      new RegExp(`^${Object.keys(params)[0]}: expected .* got`),
    );
  }
});

test('parameters without effect are accepted and named in warnings', () => {
  const params = {
    temperature: 0.5,
    top_p: 0.9,
    length_penalty: 2,
    diversity_penalty: 1,
    use_cache: true,
    dola_layers: 'low',
    num_beams: 2,
    max_length: 30,
    max_new_tokens: 3,
  };
  const { warnings } = parse(params);
  const named = warnings.map((warning) => warning.split(' ')[0]);
  assert.deepEqual(named.sort(), [
    'diversity_penalty',
    'dola_layers',
    'max_length',
    'temperature',
    'top_p',
    'use_cache',
  ]);
});

test('accepts text in place of token ids in lists of words', () => {
  const { config } = parse({
    bad_words: ['ab', ' c'],
    sequence_bias: { ab: 2 },
    num_beams: 2,
    force_words: ['hi', ['x', 'y']],
  });
  assert.deepEqual(config.badWordsIds, [
    [97, 98],
    [32, 97, 98],
    [32, 99],
  ]);
  assert.deepEqual(config.sequenceBias, [{ tokens: [97, 98], bias: 2 }]);
  assert.deepEqual(config.constraints, [
    { type: 'phrasal', tokens: [104, 105] },
    { type: 'disjunctive', alternatives: [[120], [121]] },
  ]);
  const blind = { ...CONTEXT };
  delete (blind as { encodeText?: unknown }).encodeText;
  assert.throws(() => parseGenerateParameters({ bad_words: ['x'] }, blind), /needs a tokenizer/);
  refused({ bad_words: [''] }, 'invalid_parameter', ['bad_words'], /non-empty/);
  refused({ bad_words: ['x'.repeat(300)] }, 'limit_exceeded', ['bad_words'], /256 tokens/);
});

test('constraints have a declarative form', () => {
  const constraints = [
    { type: 'phrasal', token_ids: [1, 2] },
    { type: 'disjunctive', nested_token_ids: [[3], [4, 5]] },
  ];
  assert.deepEqual(
    parse({ num_beams: 2, constraints }).config.constraints,
    parse({
      num_beams: 2,
      force_words_ids: [
        [1, 2],
        [[3], [4, 5]],
      ],
    }).config.constraints,
  );
  refused({ num_beams: 2, constraints: [{ type: 'x' }] }, 'invalid_parameter', ['constraints'], /phrasal/);
  refused(
    { num_beams: 2, force_words_ids: [[[1, 2], [1]]] },
    'invalid_parameter',
    ['force_words_ids'],
    /begins with another/,
  );
});

test('merges stopping_criteria with the stop parameters', () => {
  const { config } = parse({
    max_time: 3,
    stop_strings: ['a', 'b'],
    stopping_criteria: [
      { type: 'max_time', max_time: 2 },
      { type: 'stop_strings', stop_strings: ['b', 'c'] },
      { type: 'stop_token_sequences', sequences: [[1, 2]] },
      { type: 'eos', eos_token_id: 7 },
    ],
  });
  assert.equal(config.maxTimeMs, 2000);
  assert.deepEqual(config.stopStrings, ['a', 'b', 'c']);
  assert.deepEqual(config.stopSequences, [[1, 2], [7]]);
  refused({ stopping_criteria: [{ type: 'eval', code: '1' }] }, 'invalid_parameter', ['stopping_criteria'], /max_time/);
});

test('checks custom processors like the parameters of their type', () => {
  const { config } = parse({
    logits_processor: [
      { type: 'repetition_penalty', value: 1.2 },
      { type: 'top_p', value: 0.5 },
    ],
  });
  assert.deepEqual(config.customProcessors, [
    { type: 'repetition_penalty', config: { repetitionPenalty: 1.2 } },
    { type: 'top_p', config: { topP: 0.5 } },
  ]);
  refused({ logits_processor: [{ type: 'temperature', value: 0 }] }, 'invalid_parameter', ['temperature'], /above 0/);
  refused(
    { logits_processor: [{ type: 'lambda', value: 0 }] },
    'invalid_parameter',
    ['logits_processor'],
    /a type among/,
  );
  const twice = { repetition_penalty: 1.1, logits_processor: [{ type: 'repetition_penalty', value: 1.2 }] };
  assert.equal(parse(twice).config.customProcessors.length, 1);
  refused({ ...twice, compat: '4.25' }, 'invalid_parameter', ['logits_processor'], /twice/);
});

test('accepts the same names inside generation_config, and fields of the request override them', () => {
  const { config } = parse({ generation_config: { do_sample: true, top_k: 7, seed: 3 }, top_k: 9 });
  assert.deepEqual([config.mode, config.topK, config.seed], ['sample', 9, 3]);
  refused({ generation_config: { foo: 1 } }, 'unknown_parameter', ['foo'], /foo/);
  refused({ generation_config: { compat: '4.25' } }, 'invalid_parameter', ['compat'], /beside/);
  refused({ generation_config: { generation_config: {} } }, 'invalid_parameter', ['generation_config'], /further/);
});

test('every size has a limit', () => {
  const limits: readonly (readonly [params: Record<string, unknown>, name: string])[] = [
    [{ max_new_tokens: 2039 }, 'max_new_tokens'],
    [{ max_length: 2049 }, 'max_length'],
    [{ num_beams: 65 }, 'num_beams'],
    [{ num_beams: 2 ** 40 }, 'num_beams'],
    [{ do_sample: true, num_return_sequences: 65 }, 'num_return_sequences'],
    [{ do_sample: true, num_beams: 9, num_return_sequences: 8, compat: '4.25' }, 'num_beams'],
    [{ do_sample: true, num_return_sequences: 33, guidance_scale: 2 }, 'num_return_sequences'],
    [{ penalty_alpha: 0.5, top_k: 64 }, 'top_k'],
    [{ bad_words_ids: new Array(4097).fill([1]) }, 'bad_words_ids'],
    [{ bad_words_ids: new Array(2000).fill(new Array(200).fill(1)) }, 'bad_words_ids'],
    [{ num_beams: 2, force_words_ids: new Array(33).fill([1]) }, 'force_words_ids'],
    [{ stop_strings: new Array(65).fill('a') }, 'stop_strings'],
    [{ output_scores: true, scores_format: 'base64', max_new_tokens: 84 }, 'output_scores'],
    [{ do_sample: true, num_return_sequences: 64, max_new_tokens: 200, logprobs: 50 }, 'logprobs'],
    [{ prefix_allowed_tokens_fn: { regex: 'a'.repeat(3000) } }, 'prefix_allowed_tokens_fn'],
    [{ guidance_scale: 2, negative_prompt_ids: new Array(2040).fill(1), max_new_tokens: 9 }, 'negative_prompt_ids'],
  ];
  for (const [params, name] of limits) refused(params, 'limit_exceeded', [name], new RegExp(name));
  refused({}, 'limit_exceeded', ['prompt'], /2047/, { promptLength: 2048 });
  assert.equal(parse({ max_new_tokens: 2038 }).config.maxLength, 2048);
});

test('accepts seeds up to 2^53 - 1', () => {
  assert.equal(parse({ do_sample: true, seed: 2 ** 53 - 1, deterministic: true }).config.seed, 2 ** 53 - 1);
  for (const seed of [-1, 0.5, 2 ** 53, '1']) refused({ seed }, 'invalid_parameter', ['seed'], /an integer from 0/);
});

test('error messages show at most 80 characters of a value', () => {
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  for (const temperature of [circular, 'x'.repeat(1e6), Symbol('s'), 10n, () => 1]) {
    refused({ temperature }, 'invalid_parameter', ['temperature'], /^.{0,200}$/s);
  }
});
