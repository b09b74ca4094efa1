import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Drafting } from '../drafting.ts';
import { runStrategy, type Scorer } from '../drive.ts';
import { findDraft } from '../find-draft.ts';
import { generate } from '../generate.ts';
import { parseGenerateParameters } from '../parameters/parse-generate-parameters.ts';
import { seededUniforms } from '../testing/seeded-uniforms.ts';
import { workBudget } from '../work-budget.ts';

const VOCAB = 12;

/** Logits that depend on the last two tokens alone: greedy text soon repeats itself. */
function logitsOf(prefix: readonly number[]): Float32Array {
  let state = (prefix.at(-1) ?? 0) * 31 + (prefix.at(-2) ?? 0) * 17 + 5;
  return Float32Array.from({ length: VOCAB }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 30;
  });
}

type Draft = (drafting: Drafting) => readonly number[];

function decode(prompt: readonly number[], draft: Draft, parameters: Record<string, unknown> = {}) {
  const context = { vocabSize: VOCAB, contextLength: 128, eosTokenId: 0, promptLength: prompt.length };
  const base = { max_new_tokens: 60, eos_token_id: -1, repetition_penalty: 1.01 };
  const { config } = parseGenerateParameters({ ...base, ...parameters }, context);
  let requests = 0;
  const score: Scorer = ({ tokens, start }) => ({
    logits: tokens.slice(start).map((_, i) => logitsOf(tokens.slice(0, start + i + 1))),
    hidden: [],
    layers: [],
  });
  const strategy = generate({ prompt, config }, { clock: () => 0 });
  const outcome = runStrategy(strategy, score, () => requests++, draft);
  return { outcome, tokens: outcome.sequences[0]?.tokens, requests };
}

/** Drafts what the given logits let expect. */
function guessing(count: number, logits: (prefix: readonly number[]) => Float32Array): Draft {
  return ({ sequence, maxTokens, guess }) => {
    const draft: number[] = [];
    while (draft.length < Math.min(count, maxTokens)) {
      const token = guess(logits([...sequence, ...draft]), draft);
      if (token === null) break;
      draft.push(token);
    }
    return draft;
  };
}

test('drafts reduce the number of score requests for repetitive text without changing tokens', () => {
  const lookup: Draft = ({ sequence, maxTokens }) => findDraft(sequence, 8, 8, Math.min(6, maxTokens));
  for (let first = 0; first < VOCAB; first++) {
    const prompt = [first, (first * 5) % VOCAB];
    const plain = decode(prompt, () => []);
    const drafted = decode(prompt, lookup);
    assert.deepEqual(drafted.tokens, plain.tokens);
    assert.equal(plain.requests, 60);
    assert.ok(drafted.requests <= plain.requests);
  }
  assert.ok(decode([1, 5], lookup).requests < 50, 'this text repeats');
});

/** Everything that chooses tokens differently. */
const SHAPES: Readonly<Record<string, Record<string, unknown>>> = {
  greedy: {},
  'with processors': { no_repeat_ngram_size: 3, sequence_bias: [[[3, 4], 5]], min_new_tokens: 50, eos_token_id: 2 },
  sampled: { do_sample: true, seed: 5, temperature: 1.3, top_k: 0 },
  'sampled with warpers': { do_sample: true, seed: 6, temperature: 0.8, top_p: 0.9, typical_p: 0.95 },
  'within sequences': {
    prefix_allowed_tokens_fn: {
      allowed_sequences: [
        [1, 2, 3, 4, 5, 6, 0],
        [1, 2, 7, 8, 0],
      ],
      after_prompt: true,
    },
    eos_token_id: 0,
  },
};

for (const [name, parameters] of Object.entries(SHAPES)) {
  test(`drafts by the model itself all agree: ${name}`, () => {
    const plain = decode([1, 5], () => [], { output_scores: true, logprobs: 2, ...parameters });
    const drafted = decode([1, 5], guessing(5, logitsOf), { output_scores: true, logprobs: 2, ...parameters });
    assert.deepEqual(drafted.outcome, plain.outcome);
    const tokens = plain.tokens?.length ?? 0;
    assert.ok(drafted.requests <= 2 + Math.ceil((tokens - 1) / 6), `${drafted.requests} requests`);
  });

  test(`drafts by another model change no token and no score: ${name}`, () => {
    const other = (prefix: readonly number[]): Float32Array =>
      logitsOf(prefix).map((value, id) => value + (((prefix.at(-1) ?? 0) * 7 + id) % 3));
    const plain = decode([2, 9], () => [], { output_scores: true, logprobs: 2, ...parameters });
    const drafted = decode([2, 9], guessing(4, other), { output_scores: true, logprobs: 2, ...parameters });
    assert.deepEqual(drafted.outcome, plain.outcome);
  });
}

test('a draft ends after an EOS token, and where the parameters allow no token', () => {
  const drafts: (readonly number[])[] = [];
  const keep: Draft = (drafting) => {
    const draft = guessing(6, (prefix) =>
      Float32Array.from({ length: VOCAB }, (_, id) => +(id === (prefix.at(-1)! + 1) % VOCAB)),
    )(drafting);
    drafts.push(draft);
    return draft;
  };
  decode([1, 5], keep, { eos_token_id: 7, max_new_tokens: 20 });
  assert.ok(drafts.some((draft) => draft.at(-1) === 7 && draft.length < 6));
  assert.ok(drafts.every((draft) => !draft.slice(0, -1).includes(7)));
  drafts.length = 0;
  decode([1, 5], keep, {
    prefix_allowed_tokens_fn: { allowed_sequences: [[4, 6, 3, 0]], after_prompt: true },
    eos_token_id: 0,
  });
  assert.deepEqual(drafts[0], [6, 3, 0]);
});

test('drafts the tokens that followed the earlier occurrence of the longest matching n-gram', () => {
  assert.deepEqual(findDraft([1, 2, 3, 9, 1, 2], 1, 2, 3), [3, 9, 1]);
  assert.deepEqual(findDraft([7, 2, 3, 1, 2, 5, 1, 2], 1, 2, 1), [5]);
  assert.deepEqual(findDraft([7, 2, 3, 8, 2], 2, 4, 3), [], 'one repeated token is less than a minimum of two');
  assert.deepEqual(findDraft([1, 2, 1, 2], 1, 2, 0), []);
});

test('finds the draft that a comparison at every position finds', () => {
  const draw = seededUniforms(6);
  for (let round = 0; round < 800; round++) {
    const length = 1 + Math.floor(draw() * 16);
    const sequence = Array.from({ length }, () => (draw() < 0.7 ? 1 : Math.floor(draw() * 3)));
    const [min, max] = [1 + Math.floor(draw() * 3), 1 + Math.floor(draw() * 20)];
    assert.deepEqual(findDraft(sequence, min, max, 3), searchDraft(sequence, min, max, 3));
  }
});

/** The longest n-gram first, each compared at every position. */
function searchDraft(sequence: readonly number[], min: number, max: number, count: number): readonly number[] {
  for (let size = Math.min(max, sequence.length - 1); size >= min; size--) {
    const end = sequence.slice(-size);
    for (let start = 0; start + size < sequence.length; start++) {
      if (end.every((token, at) => sequence[start + at] === token)) {
        return sequence.slice(start + size, start + size + count);
      }
    }
  }
  return [];
}

test('a draft never makes a step too costly that is affordable without one', () => {
  const prompt = [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3];
  const context = { vocabSize: VOCAB, contextLength: 128, eosTokenId: 0, promptLength: prompt.length };
  const parameters = { max_new_tokens: 40, eos_token_id: -1, prompt_lookup_num_tokens: 8 };
  const { config } = parseGenerateParameters(parameters, context);
  const limits = { stepsPerEvaluation: 800, stepsPerGeneration: 1e9, tableBytes: 1e9 };
  const cyclic: Scorer = ({ tokens, start }) => ({
    logits: tokens
      .slice(start)
      .map((token) => Float32Array.from({ length: VOCAB }, (_, id) => +(id === (token % 9) + 1))),
    hidden: [],
    layers: [],
  });
  let longest = 0;
  const outcome = runStrategy(
    generate({ prompt, config }, { clock: () => 0, budget: workBudget(limits) }),
    cyclic,
    (request) => {
      longest = Math.max(longest, request.rows[0]!.tokens.length);
    },
  );
  assert.equal(outcome.sequences[0]!.tokens.length, 40);
  assert.equal(longest, 12);
});
