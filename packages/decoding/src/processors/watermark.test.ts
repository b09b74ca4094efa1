// Check values: torch.randperm on the CPU, and the watermark processor of transformers 5.18.0 (exact).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mersenneTwister, permutationPrefix } from '../numerics/mersenne-twister.ts';
import { addWatermark } from './watermark.ts';

test('the Mersenne Twister gives its published outputs for seed 5489', () => {
  const next = mersenneTwister(5489);
  const outputs = Array.from({ length: 10_000 }, next);
  assert.equal(outputs[0], 3499211612);
  assert.equal(outputs[9999], 4123659995);
});

test('permutations are those of torch.randperm', () => {
  assert.deepEqual([...permutationPrefix(10, 10, 1)], [5, 6, 1, 2, 0, 8, 9, 3, 7, 4]);
  assert.deepEqual([...permutationPrefix(1_000_003, 5, 15485863)], [138280, 994103, 467886, 915329, 149437]);
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
  addWatermark(scores, [7, 10], config);
  assert.deepEqual(
    [...scores.keys()].filter((id) => scores[id] === 2),
    [1, 4, 9, 12, 15],
  );
  addWatermark(scores, [7], { ...config, contextWidth: 2 });
  assert.equal(scores.filter((score) => score !== 0).length, 5);
});
