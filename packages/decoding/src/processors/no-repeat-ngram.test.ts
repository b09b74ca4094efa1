import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededUniforms } from '../testing/seeded-uniforms.ts';
import { forbidRepeatedNgrams } from './no-repeat-ngram.ts';

const draw = seededUniforms(8);
const tokens = (max: number) =>
  Array.from({ length: 1 + Math.floor(draw() * max) }, () => (draw() < 0.7 ? 0 : Math.floor(draw() * 3)));

/** The tokens that follow each occurrence of the last n-1 tokens, by comparing at every position. */
function repeated(sequence: readonly number[], text: readonly number[], size: number): number[] {
  const last = sequence.slice(sequence.length - (size - 1));
  if (sequence.length < size - 1) return [];
  const found = new Set<number>();
  for (let start = 0; start + size <= text.length; start++) {
    if (last.every((token, at) => text[start + at] === token)) found.add(text[start + size - 1]!);
  }
  return [...found].sort();
}

test('forbids what a comparison at every position forbids', () => {
  for (let round = 0; round < 500; round++) {
    const sequence = tokens(14);
    const text = draw() < 0.5 ? sequence : tokens(14);
    const size = 1 + Math.floor(draw() * 6);
    const scores = new Float32Array(3);
    forbidRepeatedNgrams(scores, sequence, text, size);
    const forbidden = [...scores.keys()].filter((id) => scores[id] === Number.NEGATIVE_INFINITY);
    assert.deepEqual(forbidden, repeated(sequence, text, size));
  }
});

test('the steps grow with the text, not with text times n-gram', () => {
  const text = new Array<number>(2000).fill(0);
  const short = forbidRepeatedNgrams(new Float32Array(1), text, text, 2);
  assert.ok(forbidRepeatedNgrams(new Float32Array(1), text, text, 1000) < 2 * short);
});
