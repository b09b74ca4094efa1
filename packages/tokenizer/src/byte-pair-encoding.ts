/**
 * Byte-pair encoding of one piece: while any two neighbours merge, merge the pair of lowest rank, the leftmost of
 * equals. Two algorithms with the same result: short pieces are scanned for each merge, O(n²) with a small constant; long
 * pieces keep the candidates in a heap, O(n log n), because a prompt without spaces is one piece of any length.
 */
import type { MergeTable } from './merge-table.ts';

/** From this number of symbols on, the heap is faster. */
const LONG_PIECE = 96;

/**
 * Merge `symbols[0 … count-1]` in place and return how many are left, at the front.
 *
 * @param symbols token ids of single bytes
 */
export function mergeSymbols(symbols: Int32Array, count: number, merges: MergeTable): number {
  return count < LONG_PIECE ? mergeByScan(symbols, count, merges) : mergeByHeap(symbols, count, merges);
}

/** The quadratic algorithm. Exported for the test that compares both. */
export function mergeByScan(symbols: Int32Array, count: number, merges: MergeTable): number {
  // ranks[i]: rank of the pair (i, i+1)
  const ranks: number[] = [];
  for (let i = 0; i + 1 < count; i++) ranks.push(merges.rank(symbols[i]!, symbols[i + 1]!));
  let length = count;
  while (length > 1) {
    let best = -1;
    for (let i = 0; i + 1 < length; i++) {
      const rank = ranks[i]!;
      if (rank >= 0 && (best < 0 || rank < ranks[best]!)) best = i;
    }
    if (best < 0) break;
    symbols[best] = merges.product[ranks[best]!]!;
    length--;
    for (let i = best + 1; i < length; i++) {
      symbols[i] = symbols[i + 1]!;
      ranks[i - 1] = ranks[i]!;
    }
    if (best > 0) ranks[best - 1] = merges.rank(symbols[best - 1]!, symbols[best]!);
    if (best + 1 < length) ranks[best] = merges.rank(symbols[best]!, symbols[best + 1]!);
  }
  return length;
}

/** Key of a candidate: rank first, then position, so that comparing keys compares candidates. Far below 2^53. */
const POSITIONS = 2 ** 32;

/** The heap algorithm. Exported for the test that compares both. */
export function mergeByHeap(symbols: Int32Array, count: number, merges: MergeTable): number {
  // A linked list over the symbols; ranks[i] is the rank of the pair that starts at i, -1 when it does not merge or
  // when i has been merged away. A candidate whose rank is no longer ranks[position] is stale and skipped.
  const next = new Int32Array(count);
  const previous = new Int32Array(count);
  const ranks = new Int32Array(count).fill(-1);
  // Every merge removes a pair and adds at most two candidates: 3 × count bounds the number of pushes.
  const heap = new Float64Array(3 * count);
  let heapSize = 0;
  const consider = (at: number): void => {
    const right = next[at]!;
    const rank = right < count ? merges.rank(symbols[at]!, symbols[right]!) : -1;
    ranks[at] = rank;
    if (rank >= 0) siftUp(heap, heapSize++, rank * POSITIONS + at);
  };

  for (let i = 0; i < count; i++) {
    next[i] = i + 1;
    previous[i] = i - 1;
  }
  for (let i = 0; i < count; i++) consider(i);
  while (heapSize > 0) {
    const key = heap[0]!;
    heapSize--;
    if (heapSize > 0) siftDown(heap, heapSize, heap[heapSize]!);
    const rank = Math.floor(key / POSITIONS);
    const at = key - rank * POSITIONS;
    if (ranks[at] !== rank) continue;
    const gone = next[at]!;
    symbols[at] = merges.product[rank]!;
    ranks[gone] = -1;
    const after = next[gone]!;
    next[at] = after;
    if (after < count) previous[after] = at;
    consider(at);
    if (at > 0) consider(previous[at]!);
  }

  let length = 0;
  for (let at = 0; at < count; at = next[at]!) symbols[length++] = symbols[at]!;
  return length;
}

function siftUp(heap: Float64Array, from: number, key: number): void {
  let at = from;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (heap[parent]! <= key) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = key;
}

/** Replace the top of the heap by `key`. */
function siftDown(heap: Float64Array, size: number, key: number): void {
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= size) break;
    if (child + 1 < size && heap[child + 1]! < heap[child]!) child++;
    if (heap[child]! >= key) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = key;
}
