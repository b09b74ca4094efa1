import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startBeams } from './beam.ts';
import { addHypothesis, bestHypotheses, type HypothesisHeap, isDecided } from './hypothesis-heap.ts';

const hypothesis = (score: number, token: number) => ({
  beam: startBeams([token], 1)[0]!,
  score,
  finishReason: 'eos' as const,
});
const heapOf = (capacity: number, ...scores: number[]): HypothesisHeap => {
  const heap = { capacity, hypotheses: [] };
  for (const [token, score] of scores.entries()) addHypothesis(heap, hypothesis(score, token));
  return heap;
};
const tokens = (heaps: readonly HypothesisHeap[], count: number) =>
  bestHypotheses(heaps, count).map(({ beam }) => beam.sequence[0]);

test('a full heap accepts only hypotheses better than its worst', () => {
  assert.deepEqual(tokens([heapOf(2, -3, -1, -2)], 3), [1, 2]);
  assert.deepEqual(tokens([heapOf(2, -3, -1, -3)], 3), [1, 0]);
  assert.deepEqual(tokens([heapOf(2, -3, -3, -1)], 3), [2, 1]);
});

test('of equal hypotheses the one added later comes first', () => {
  assert.deepEqual(tokens([heapOf(3, -1, -2, -1)], 3), [2, 0, 1]);
  assert.deepEqual(tokens([heapOf(1, -1), heapOf(1, -1)], 1), [0]);
});

test('a heap is done once it is full and no attainable score beats its worst', () => {
  assert.equal(isDecided(heapOf(2, -1), -9), false);
  assert.equal(isDecided(heapOf(2, -1, -2), -2), true);
  assert.equal(isDecided(heapOf(2, -1, -2), -1.5), false);
});
