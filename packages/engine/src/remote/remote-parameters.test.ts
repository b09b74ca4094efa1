import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeParameters, parseGenerateParameters } from '@gptj-cloud/decoding';
import {
  describeRemoteParameters,
  REMOTE_PARAMETERS,
  type RemoteLimits,
  refusedParameters,
} from './remote-parameters.ts';

const LIMITS: RemoteLimits = { maxLogprobs: 20, deterministic: false, eosTokenIds: [50256] };
const CONTEXT = { vocabSize: 50400, contextLength: 2048, eosTokenId: 50256, promptLength: 5, earlyExitLayers: 28 };

function refused(parameters: Readonly<Record<string, unknown>>, limits = LIMITS): readonly string[] {
  const { config } = parseGenerateParameters(parameters, CONTEXT);
  return refusedParameters(config, limits).map(({ parameter }) => parameter);
}

test('every parameter of generate that acts has one record, and no other name has one', () => {
  const acting = describeParameters().flatMap(({ name, effect }) => (effect === 'acts' ? [name] : []));
  assert.deepEqual(REMOTE_PARAMETERS.map(({ name }) => name).toSorted(), acting.toSorted());
  assert.equal(describeRemoteParameters().length, REMOTE_PARAMETERS.length);
});

test('a request with defaults is sent, greedy or sampled', () => {
  for (const compat of ['5.18', '4.25']) {
    assert.deepEqual(refused({ compat }), []);
    assert.deepEqual(refused({ compat, do_sample: true, num_return_sequences: 4 }), []);
  }
});

test('what the server honours is sent', () => {
  for (const parameters of [
    { max_new_tokens: 9, min_new_tokens: 3 },
    { repetition_penalty: 1.2, bad_words_ids: [[11], [12]] },
    { presence_penalty: 1, frequency_penalty: -1, sequence_bias: [[[11], 3]] },
    { do_sample: true, temperature: 0.7, top_k: 40, top_p: 0.9 },
    { do_sample: true, temperature: 0.7, top_k: 40, min_p: 0.05 },
    { logprobs: 20, prompt_logprobs: 20, stop_strings: 'end', max_time: 3, stopping_criteria: [] },
    { eos_token_id: -1, prompt_lookup_num_tokens: 4, renormalize_logits: true },
    // Without sampling the filters of sampling do not act.
    { typical_p: 0.5, seed: 3, epsilon_cutoff: 0.1, filter_before_temperature: true },
  ])
    assert.deepEqual(refused(parameters), [], JSON.stringify(parameters));
});

test('what the server honours in another way is refused by its name', () => {
  const cases: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
    ['num_beams', { num_beams: 3 }],
    ['num_beam_groups', { num_beams: 4, num_beam_groups: 2, diversity_penalty: 1 }],
    ['constraints', { num_beams: 3, force_words_ids: [[7]] }],
    ['penalty_alpha', { penalty_alpha: 0.6, top_k: 4 }],
    ['dola_layers', { dola_layers: 'low' }],
    ['no_repeat_ngram_size', { no_repeat_ngram_size: 2 }],
    ['encoder_no_repeat_ngram_size', { encoder_no_repeat_ngram_size: 2 }],
    ['encoder_repetition_penalty', { encoder_repetition_penalty: 1.1 }],
    ['top_h', { do_sample: true, top_h: 0.4 }],
    ['typical_p', { do_sample: true, typical_p: 0.9 }],
    ['epsilon_cutoff', { do_sample: true, epsilon_cutoff: 0.001 }],
    ['eta_cutoff', { do_sample: true, eta_cutoff: 0.001 }],
    ['top_p', { do_sample: true, top_p: 0.9, min_p: 0.1 }],
    ['filter_before_temperature', { do_sample: true, temperature: 0.5, filter_before_temperature: true }],
    ['seed', { do_sample: true, seed: 0 }],
    ['guidance_scale', { guidance_scale: 1.5 }],
    ['repetition_penalty', { repetition_penalty: 1.1, sequence_bias: [[[7], 1]] }],
    ['sequence_bias', { sequence_bias: [[[7, 8], 1]] }],
    ['sequence_bias', { sequence_bias: [[[7], 101]] }],
    ['bad_words_ids', { bad_words_ids: [[7, 8]] }],
    ['bad_words_ids', { bad_words_ids: [[7]], do_sample: true, temperature: 5 }],
    ['suppress_tokens', { suppress_tokens: Array.from({ length: 301 }, (_, id) => id) }],
    ['begin_suppress_tokens', { begin_suppress_tokens: [7] }],
    ['forced_bos_token_id', { forced_bos_token_id: 7 }],
    ['forced_eos_token_id', { forced_eos_token_id: 7 }],
    ['forced_decoder_ids', { compat: '4.25', forced_decoder_ids: [[6, 7]] }],
    ['exponential_decay_length_penalty', { exponential_decay_length_penalty: [3, 1.1] }],
    ['watermarking_config', { watermarking_config: {} }],
    ['prefix_allowed_tokens_fn', { prefix_allowed_tokens_fn: { regex: 'a+' } }],
    ['logits_processor', { logits_processor: [{ type: 'temperature', value: 2 }] }],
    ['min_new_tokens', { min_new_tokens: 3, eos_token_id: 13 }],
    ['logprobs', { logprobs: 21 }],
    ['prompt_logprobs', { prompt_logprobs: 21 }],
    ['processed_logprobs', { logprobs: 1, processed_logprobs: true }],
    ['output_scores', { output_scores: true }],
    ['output_logits', { output_logits: true }],
    ['deterministic', { deterministic: true }],
    ['lora', { lora: [{ name: 'mine' }] }],
  ];
  for (const [name, parameters] of cases) assert.deepEqual(refused(parameters), [name], JSON.stringify(parameters));
});

test('a server that its operator calls batch-invariant takes deterministic requests', () => {
  assert.deepEqual(refused({ deterministic: true }, { ...LIMITS, deterministic: true }), []);
});
