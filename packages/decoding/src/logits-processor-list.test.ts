// Values computed by hand from the formulas; the golden files compare with transformers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allowedNextOf } from './allowed-next.ts';
import { DecodingError } from './decoding-error.ts';
import type { LogitsRow } from './logits-processor.ts';
import { applyLogitsProcessors, buildLogitsProcessors } from './logits-processor-list.ts';
import { parseGenerateParameters } from './parameters/parse-generate-parameters.ts';

const NONE = Number.NEGATIVE_INFINITY;

interface Input {
  readonly scores: readonly number[];
  readonly prompt?: readonly number[];
  readonly generated?: readonly number[];
}

function shape(
  params: Record<string, unknown>,
  { scores, prompt = [0], generated = [] }: Input,
  more: Partial<LogitsRow> = {},
) {
  const context = { vocabSize: scores.length, contextLength: 64, eosTokenId: 3, promptLength: prompt.length };
  const { config } = parseGenerateParameters(params, context);
  const row = Float32Array.from(scores);
  applyLogitsProcessors(buildLogitsProcessors(config, prompt, allowedNextOf(config, prompt)), [
    { scores: row, sequence: [...prompt, ...generated], ...more },
  ]);
  return [...row].map((score) => (Number.isFinite(score) ? Number(score.toFixed(4)) : score));
}

const probabilities = (...values: readonly number[]) => values.map((value) => Math.log(value));
const kept = (scores: readonly number[]) => scores.flatMap((score, id) => (score > NONE ? [id] : []));

test('repetition_penalty lowers the score of a repeated token, whatever its sign', () => {
  assert.deepEqual(shape({ repetition_penalty: 2 }, { scores: [4, -4, 4, 4, 4], generated: [1, 1] }), [2, -8, 4, 4, 4]);
  assert.deepEqual(
    shape({ encoder_repetition_penalty: 2 }, { scores: [4, -4, 4, 4, 4], generated: [1] }),
    [8, -4, 4, 4, 4],
  );
});

test('forbids repeated n-grams of the whole text and of the prompt alone', () => {
  const text = { scores: [0, 0, 0, 0, 0], prompt: [1, 2], generated: [4, 1] };
  assert.deepEqual(kept(shape({ no_repeat_ngram_size: 2 }, text)), [0, 1, 3, 4]);
  assert.deepEqual(kept(shape({ no_repeat_ngram_size: 1 }, text)), [0, 3]);
  assert.deepEqual(kept(shape({ encoder_no_repeat_ngram_size: 1 }, text)), [0, 3, 4]);
});

test('forbids and biases words at their last token', () => {
  const text = { scores: [0, 0, 0, 0, 0], prompt: [1], generated: [2] };
  assert.deepEqual(kept(shape({ bad_words_ids: [[1, 2, 4], [0], [2, 2, 1]] }, text)), [1, 2, 3]);
  assert.deepEqual(
    shape(
      {
        sequence_bias: [
          [[2, 4], 1.5],
          [[4], 2],
          [[1, 4], 9],
        ],
      },
      text,
    ),
    [0, 0, 0, 0, 3.5],
  );
});

test('forbids EOS below the minimum length, favours it with growing length and forces it at the maximum', () => {
  const scores = [1, 1, 1, -2, 1];
  assert.deepEqual(kept(shape({ min_new_tokens: 2 }, { scores, generated: [1] })), [0, 1, 2, 4]);
  assert.deepEqual(kept(shape({ min_new_tokens: 2 }, { scores, generated: [1, 1] })), [0, 1, 2, 3, 4]);
  assert.deepEqual(shape({ forced_eos_token_id: 3, max_length: 4 }, { scores, generated: [1, 1] }), [
    NONE,
    NONE,
    NONE,
    0,
    NONE,
  ]);
  const decay = { exponential_decay_length_penalty: [1, 2] };
  assert.equal(shape(decay, { scores, generated: [1, 1, 1] })[3], 4);
  assert.equal(shape({ ...decay, compat: '4.25' }, { scores, generated: [1, 1, 1] })[3], -8);
});

test('each warper keeps the tokens that its paper specifies', () => {
  const row = { scores: probabilities(0.3, 0.1, 0.1, 0.5) };
  const sample = { do_sample: true, top_k: 0 };
  assert.deepEqual(kept(shape({ ...sample, top_p: 0.79 }, row)), [0, 3]);
  assert.deepEqual(kept(shape({ ...sample, top_p: 0.81 }, row)).length, 3);
  assert.deepEqual(kept(shape({ ...sample, top_p: 0 }, row)), [3]);
  assert.deepEqual(kept(shape({ ...sample, top_k: 2 }, row)), [0, 3]);
  assert.deepEqual(kept(shape({ ...sample, top_k: 3 }, row)), [0, 1, 2, 3]);
  assert.deepEqual(kept(shape({ ...sample, min_p: 0.5 }, row)), [0, 3]);
  assert.deepEqual(kept(shape({ ...sample, epsilon_cutoff: 0.2 }, row)), [0, 3]);
  // Entropy 1.168: surprises 1.204, 2.303, 2.303, 0.693.
  assert.deepEqual(kept(shape({ ...sample, typical_p: 0.2 }, row)), [0]);
  assert.deepEqual(kept(shape({ ...sample, typical_p: 0.7 }, row)), [0, 3]);
  // sqrt(0.5) * exp(-1.168) = 0.2199.
  assert.deepEqual(kept(shape({ ...sample, eta_cutoff: 0.5 }, row)), [0, 3]);
  // Entropy terms, likeliest first: 0.347, 0.361, 0.230, 0.230.
  assert.deepEqual(kept(shape({ ...sample, top_h: 0.5 }, row)), [3]);
  assert.deepEqual(kept(shape({ ...sample, top_h: 0.7 }, row)), [0, 3]);
});

test('with beams, warpers leave enough tokens to continue when some are EOS', () => {
  const row = { scores: probabilities(0.9, 0.05, 0.03, 0.01, 0.01) };
  const params = { do_sample: true, num_beams: 2, top_k: 1 };
  assert.equal(kept(shape(params, row)).length, 2);
  assert.equal(kept(shape({ ...params, eos_token_id: [1, 2] }, row)).length, 3);
  assert.equal(kept(shape({ ...params, top_k: 0, top_p: 0.1 }, row)).length, 2);
});

test('temperature comes before top_p, and warpers act only when sampling', () => {
  const row = { scores: probabilities(0.4, 0.3, 0.2, 0.1) };
  const params = { top_k: 0, top_p: 0.5 };
  assert.deepEqual(kept(shape({ ...params, do_sample: true }, row)), [0, 1]);
  assert.deepEqual(kept(shape({ ...params, do_sample: true, temperature: 0.3 }, row)), [0]);
  assert.deepEqual(kept(shape({ ...params, temperature: 0.3 }, row)), [0, 1, 2, 3]);
});

test('guidance extrapolates away from the unconditional log-probabilities', () => {
  const conditional = probabilities(0.5, 0.2, 0.2, 0.1);
  const unconditional = Float32Array.from(probabilities(0.25, 0.4, 0.2, 0.15));
  const shaped = shape({ guidance_scale: 1.5 }, { scores: conditional }, { unconditional });
  assert.deepEqual(
    shaped,
    conditional.map((score, id) => Number((1.5 * (score - unconditional[id]!) + unconditional[id]!).toFixed(4))),
  );
});

test('remove_invalid_values replaces NaN and +inf, and -inf only under compat 5.18', () => {
  const scores = [Number.NaN, Number.POSITIVE_INFINITY, NONE, 1];
  assert.deepEqual(
    shape({ remove_invalid_values: true }, { scores }),
    [0, 3.4028234663852886e38, -3.4028234663852886e38, 1],
  );
  assert.equal(shape({ remove_invalid_values: true, compat: '4.25' }, { scores })[2], NONE);
});

test('under compat 5.18 allowed tokens stay possible when other processors forbid all of them', () => {
  const params = {
    prefix_allowed_tokens_fn: { allowed_sequences: [[1, 2]], after_prompt: true },
    bad_words_ids: [[1]],
  };
  const row = { scores: [5, 5, 5, 5] };
  assert.deepEqual(shape(params, row), [NONE, 0, NONE, NONE]);
  assert.deepEqual(kept(shape({ ...params, compat: '4.25' }, row)), []);
  assert.throws(
    () => shape(params, { ...row, generated: [1, 2] }),
    (error) => error instanceof DecodingError && error.code === 'no_possible_token',
  );
});

test('diversity_penalty lowers the scores of tokens that earlier groups chose', () => {
  const params = { num_beams: 4, num_beam_groups: 2, diversity_penalty: 0.5 };
  assert.deepEqual(shape(params, { scores: [0, 0, 0, 0] }, { chosenByEarlierGroups: [1, 1] }), [0, -1, 0, 0]);
});

test('filters act after temperature, or before it with filter_before_temperature', () => {
  const scores = probabilities(0.5, 0.3, 0.15, 0.05);
  const params = { do_sample: true, top_k: 0, top_p: 0.7, temperature: 0.25 };
  // At temperature 0.25 the first token alone holds 0.88; under the raw logits, two are needed.
  assert.deepEqual(kept(shape(params, { scores })), [0]);
  const mesh = shape({ ...params, filter_before_temperature: true }, { scores });
  assert.deepEqual(kept(mesh), [0, 1]);
  assert.deepEqual(
    mesh.slice(0, 2),
    [Math.log(0.5) / 0.25, Math.log(0.3) / 0.25].map((x) => Number(x.toFixed(4))),
  );
});
