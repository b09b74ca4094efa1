import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runStrategy, type Scorer } from '../drive.ts';
import { generate } from '../generate.ts';
import { parseGenerateParameters } from '../parameters/parse-generate-parameters.ts';
import { seededUniforms } from '../testing/seeded-uniforms.ts';
import { workBudget } from '../work-budget.ts';
import { findDraft } from './prompt-lookup.ts';

const VOCAB = 12;

/** Logits that depend on the last two tokens alone: greedy text soon repeats itself. */
function logitsOf(prefix: readonly number[]): Float32Array {
  let state = (prefix.at(-1) ?? 0) * 31 + (prefix.at(-2) ?? 0) * 17 + 5;
  return Float32Array.from({ length: VOCAB }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 30;
  });
}

function decode(prompt: readonly number[], draftTokens: (acceptance: number) => number) {
  const parameters = { max_new_tokens: 60, eos_token_id: -1, repetition_penalty: 1.01 };
  const context = { vocabSize: VOCAB, contextLength: 128, eosTokenId: 0, promptLength: prompt.length };
  const { config } = parseGenerateParameters(parameters, context);
  let requests = 0;
  const strategy = generate({ prompt, config }, { clock: () => 0, drafts: { draftTokens } });
  const score: Scorer = ({ tokens, start }) => ({
    logits: tokens.slice(start).map((_, i) => logitsOf(tokens.slice(0, start + i + 1))),
    hidden: [],
    layers: [],
  });
  const outcome = runStrategy(strategy, score, () => requests++);
  return { tokens: outcome.sequences[0]?.tokens, requests };
}

test('drafts reduce the number of score requests for repetitive text without changing tokens', () => {
  for (let first = 0; first < VOCAB; first++) {
    const prompt = [first, (first * 5) % VOCAB];
    const plain = decode(prompt, () => 0);
    const drafted = decode(prompt, () => 6);
    assert.deepEqual(drafted.tokens, plain.tokens);
    assert.equal(plain.requests, 60);
    assert.ok(drafted.requests <= plain.requests);
  }
  assert.ok(decode([1, 5], () => 6).requests < 50, 'this text repeats');
});

test('reports a falling acceptance to the policy when drafts are rejected', () => {
  const heard: number[] = [];
  decode([3, 4], (acceptance) => {
    heard.push(acceptance);
    return 3;
  });
  assert.ok(heard.every((acceptance) => acceptance >= 0 && acceptance <= 1));
  assert.ok(new Set(heard).size > 1);
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
