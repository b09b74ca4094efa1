import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planBatches } from './plan-batches.ts';
import { buildForest, type ForestNode, toRow } from './prefix-forest.ts';

const outline = ({ start, end, scored, rows, children }: ForestNode): unknown => [
  start,
  end,
  scored,
  rows.map(({ index }) => index),
  children.map(outline),
];

test('a shared context is one node, and what choices share is one below it', () => {
  const context = [1, 2, 3];
  const requests = [
    { context, continuation: [4, 5, 6] },
    { context, continuation: [4, 5, 7] },
    { context, continuation: [8] },
  ];
  assert.deepEqual(buildForest(requests.map(toRow)).map(outline), [
    [0, 3, 'last', [0, 1, 2], [[3, 5, 'all', [0, 1], []]]],
  ]);
});

test('a context that goes on into another one ends a node', () => {
  const requests = [
    { context: [1, 2], continuation: [3, 4, 5] },
    { context: [1, 2, 3], continuation: [4, 9] },
  ];
  assert.deepEqual(buildForest(requests.map(toRow)).map(outline), [
    [0, 2, 'last', [0, 1], [[2, 3, 'all', [0, 1], [[3, 4, 'all', [0, 1], []]]]]],
  ]);
});

const SHARED = { sharesContexts: true };

test('batches have the longest contexts first and keep a context together', () => {
  const requests = [
    { context: [1], continuation: [9] },
    { context: [1, 2, 3], continuation: [9] },
    { context: [1], continuation: [8] },
    { context: [1, 2, 3], continuation: [8] },
  ];
  assert.deepEqual(planBatches(requests, { ...SHARED, tokens: 100, requests: 2 }), [
    [1, 3],
    [0, 2],
  ]);
  assert.deepEqual(planBatches(requests, { ...SHARED, tokens: 5, requests: 9 }), [
    [1, 3],
    [0, 2],
  ]);
  assert.deepEqual(planBatches(requests, { ...SHARED, tokens: 1, requests: 9 }), [[1], [3], [0], [2]]);
  // Two requests of the long context have 5 tokens where it counts once, 8 where each has its own.
  assert.deepEqual(planBatches(requests, { sharesContexts: false, tokens: 7, requests: 9 }), [[1], [3, 0], [2]]);
});
