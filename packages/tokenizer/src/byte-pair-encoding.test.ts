import assert from 'node:assert/strict';
import test from 'node:test';
import { mergeByHeap, mergeByScan } from './byte-pair-encoding.ts';
import { createMergeTable, type Merge } from './merge-table.ts';

/** Tokens 0 … 3 are the letters; 4 = aa, 5 = ab, 6 = aaab, 7 = ca, 8 = caab. Lower ranks first. */
const merges: readonly Merge[] = [
  { left: 0, right: 0, product: 4 },
  { left: 0, right: 1, product: 5 },
  { left: 4, right: 5, product: 6 },
  { left: 2, right: 0, product: 7 },
  { left: 7, right: 5, product: 8 },
];
const table = createMergeTable(merges);

function merged(letters: readonly number[], way: typeof mergeByHeap): number[] {
  const symbols = Int32Array.from(letters);
  return Array.from(symbols.subarray(0, way(symbols, symbols.length, table)));
}

test('merges the pair of the lowest rank first, and the leftmost of equal pairs', () => {
  for (const way of [mergeByScan, mergeByHeap]) {
    assert.deepEqual(merged([], way), []);
    assert.deepEqual(merged([3], way), [3]);
    assert.deepEqual(merged([0, 0, 0], way), [4, 0]);
    assert.deepEqual(merged([0, 0, 0, 1], way), [6]);
    assert.deepEqual(merged([2, 0, 0, 1], way), [2, 4, 1]);
    assert.deepEqual(merged([2, 0, 3, 0, 1], way), [7, 3, 5]);
  }
});

test('the scan and the heap give the same merges for every sequence of up to eight letters over an alphabet of three', () => {
  for (let length = 0; length <= 8; length++) {
    for (let row = 0; row < 3 ** length; row++) {
      const letters = Array.from({ length }, (_, i) => Math.floor(row / 3 ** i) % 3);
      assert.deepEqual(merged(letters, mergeByHeap), merged(letters, mergeByScan), letters.join(' '));
    }
  }
});

test('the merge table finds every merge and no other pair', () => {
  const many = Array.from({ length: 2000 }, (_, i) => ({
    left: (i * 7919) % 50021,
    right: (i * 104729) % 50023,
    product: i,
  }));
  const large = createMergeTable(many);
  many.forEach((merge, rank) => {
    assert.equal(large.rank(merge.left, merge.right), rank);
    assert.equal(large.rank(merge.left, merge.right + 50023), -1);
  });
});
