import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededUniforms } from '../testing/seeded-uniforms.ts';
import { sequenceBiaser, wordForbidder } from './sequence-bias.ts';

const VOCABULARY = 4;
const draw = seededUniforms(11);
const integer = (below: number) => Math.floor(draw() * below);
const tokens = (min: number, max: number) =>
  Array.from({ length: min + integer(max - min + 1) }, () => integer(VOCABULARY));

/** Whether `sequence` ends with all tokens of a word but its last. */
const isPending = (word: readonly number[], sequence: readonly number[]) =>
  word.length <= sequence.length + 1 &&
  word.slice(0, -1).every((token, at) => token === sequence.at(at + 1 - word.length));

test('adds the biases of the words that a token would complete, in the order given, and forbids words alike', () => {
  for (let round = 0; round < 300; round++) {
    const biases = Array.from({ length: integer(7) }, () => ({ tokens: tokens(1, 3), bias: draw() }));
    const addBias = sequenceBiaser(biases, () => {});
    const words = biases.map((one) => one.tokens);
    const forbid = wordForbidder(words, () => {});
    // The tables are built once: they serve several sequences.
    for (const sequence of [tokens(0, 4), tokens(0, 4), tokens(0, 4)]) {
      const sums = new Array<number>(VOCABULARY).fill(0);
      for (const { tokens: word, bias } of biases) if (isPending(word, sequence)) sums[word.at(-1)!]! += bias;
      const biased = new Float32Array(VOCABULARY);
      addBias(biased, sequence);
      assert.deepEqual(biased, Float32Array.from(sums));
      const allowed = new Float32Array(VOCABULARY);
      forbid(allowed, sequence);
      for (let token = 0; token < VOCABULARY; token++) {
        const isForbidden = words.some((word) => word.at(-1) === token && isPending(word, sequence));
        assert.equal(allowed[token], isForbidden ? Number.NEGATIVE_INFINITY : 0);
      }
    }
  }
});
