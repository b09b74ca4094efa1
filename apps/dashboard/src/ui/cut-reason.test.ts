import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeParameters } from '@gptj-cloud/decoding';
import { cutReason, cutReasons } from './cut-reason.ts';

/** Alternatives of these probabilities, best first; the `kept` first ones are possible under the parameters. */
function tokenOf(kept: number, probabilities: readonly number[]) {
  const top = probabilities.map((each, at) => ({
    id: at,
    label: `t${at}`,
    logprob: Math.log(each),
    processed: at < kept ? -1 : null,
  }));
  return { id: 0, text: 't0', label: 't0', logprob: top[0]?.logprob ?? null, processed: -1, top };
}

const FOUR = [0.5, 0.3, 0.1, 0.05];
const reason = (kept: number, parameters: object, index: number) =>
  cutReason(tokenOf(kept, FOUR), { ...parameters }, index);

test('every filter of sampling is named where it alone can have removed an alternative', () => {
  const values = { top_h: 0.4, top_k: 2, top_p: 0.9, min_p: 0.4, typical_p: 0.8, epsilon_cutoff: 0.1, eta_cutoff: 0.1 };
  const filters = describeParameters()
    .filter(({ help, needsSampling }) => needsSampling && /Draws from|Drops|Keeps/.test(help))
    .map(({ name }) => name);
  assert.deepEqual(filters.toSorted(), Object.keys(values).toSorted());
  for (const [name, value] of Object.entries(values)) {
    assert.equal(reason(2, { [name]: value, temperature: 0.9 }, 2), `removed by ${name} ${value}`);
    assert.equal(reason(2, { [name]: value }, 1), null, `${name} kept it`);
  }
  const neutral = { top_h: 1, top_k: 0, top_p: 1, min_p: 0, typical_p: 1, epsilon_cutoff: 0, eta_cutoff: 0 };
  assert.equal(reason(2, neutral, 2), 'removed by the parameters');
});

test('what forbids single tokens is named beside filters, and is all there is without sampling', () => {
  const bans = { bad_words: ['x'], no_repeat_ngram_size: 2, suppress_tokens: [2] };
  assert.equal(
    reason(2, { ...bans, do_sample: false, top_p: 0.9 }, 2),
    'removed by no_repeat_ngram_size 2 or bad_words or suppress_tokens',
  );
  assert.equal(reason(2, { suppress_tokens: [2], top_p: 0.9 }, 2), 'removed by suppress_tokens or top_p 0.9');
  assert.equal(reason(2, { min_new_tokens: 8, top_p: 0.9 }, 2), 'removed by top_p 0.9');
  assert.equal(reason(2, { min_new_tokens: 8, eos_token_id: [2] }, 2), 'removed by min_new_tokens 8');
});

test('the rank proves or excludes top_k and min_p while the order of tokens is that of the model', () => {
  const both = { top_k: 3, top_p: 0.8 };
  assert.equal(reason(2, both, 2), 'removed by top_p 0.8');
  assert.equal(reason(2, both, 3), 'removed by top_k 3');
  assert.equal(reason(2, { ...both, repetition_penalty: 1.2 }, 3), 'removed by top_k 3 or top_p 0.8');
  assert.equal(reason(2, { top_k: 3, min_p: 0.15 }, 3), 'removed by top_k 3 and min_p 0.15');
  // At a temperature of 2 the third is 0.45 as likely as the first, at 0.5 0.04.
  assert.equal(reason(2, { top_p: 0.8, min_p: 0.15, temperature: 2 }, 2), 'removed by top_p 0.8');
  assert.equal(reason(2, { top_p: 0.8, min_p: 0.15, temperature: 0.5 }, 2), 'removed by min_p 0.15');
  const after = { temperature: 0.5, filter_before_temperature: true };
  assert.equal(reason(2, { top_p: 0.8, min_p: 0.15, ...after }, 2), 'removed by top_p 0.8');
});

test('without reports after the parameters, only what a rank proves is removed', () => {
  const { top, processed: _, ...token } = tokenOf(4, FOUR);
  const bare = { ...token, top: top.map(({ processed: __, ...each }) => each) };
  assert.equal(cutReason(bare, { top_k: 3, top_p: 0.5 }, 3), 'removed by top_k 3');
  assert.equal(cutReason(bare, { top_k: 3, top_p: 0.5 }, 2), null);
  assert.deepEqual(cutReasons(tokenOf(2, FOUR), { top_k: 3, top_p: 0.8 }), [
    'removed by top_p 0.8',
    'removed by top_k 3',
  ]);
});
