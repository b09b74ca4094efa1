import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runStrategy, type Scorer } from '../drive.ts';
import { generate } from '../generate.ts';
import { parseGenerateParameters } from '../parameters/parse-generate-parameters.ts';
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
