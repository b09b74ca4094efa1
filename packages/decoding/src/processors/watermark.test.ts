// Check values: torch.randperm on the CPU, and the watermark processor of transformers 5.18.0 (exact).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { permutationPrefix, positionInPermutation } from '../numerics/mersenne-twister.ts';
import type { WatermarkConfig } from '../parameters/read-watermark.ts';
import { watermarker } from './watermark.ts';

const ignore = () => {};

test('permutations are those of torch.randperm', () => {
  assert.deepEqual([...permutationPrefix(10, 10, 1)], [5, 6, 1, 2, 0, 8, 9, 3, 7, 4]);
  assert.deepEqual([...permutationPrefix(1_000_003, 5, 15485863)], [138280, 994103, 467886, 915329, 149437]);
  const whole = permutationPrefix(1_000_003, 1_000_003, 15485863);
  assert.deepEqual([...whole.subarray(9995, 10_000)], [732251, 262706, 164587, 929328, 287085]);
  assert.deepEqual([...whole.subarray(-4)], [64375, 242875, 620478, 865023]);
});

test('the position of a value in a permutation is found without storing it', () => {
  for (const size of [1, 2, 7, 40, 1000]) {
    for (const seed of [0, 1, 15485863, 4294967295]) {
      const permutation = [...permutationPrefix(size, size, seed)];
      const part = permutation.slice(0, Math.ceil(size * 0.6));
      for (let value = 0; value < Math.min(size, 50); value++) {
        assert.equal(positionInPermutation(size, size, seed, value), permutation.indexOf(value));
        assert.equal(positionInPermutation(size, part.length, seed, value), part.indexOf(value));
      }
    }
  }
});

test('the last token determines the green list, whose tokens get the bias', () => {
  const scores = new Float32Array(20);
  const config = {
    greenlistRatio: 0.25,
    bias: 2,
    hashingKey: 15485863,
    seedingScheme: 'lefthash',
    contextWidth: 1,
  } as const;
  const mark = (sequence: number[], changed: WatermarkConfig = config) =>
    watermarker(changed, ignore, ignore)([{ scores, sequence }], ignore);
  mark([7, 10]);
  assert.deepEqual(
    [...scores.keys()].filter((id) => scores[id] === 2),
    [1, 4, 9, 12, 15],
  );
  mark([7], { ...config, contextWidth: 2 });
  assert.equal(scores.filter((score) => score !== 0).length, 5);
});
