import type { TokenId } from './token.ts';

/** Looks up the rank of a merge by its two parts. Lower ranks merge first. */
export interface MergeTable {
  /** Rank of the merge of `left` and `right`, -1 when they do not merge. */
  rank(left: TokenId, right: TokenId): number;
  /** Resulting token of each merge, by rank. */
  readonly product: Int32Array;
}

/** One merge: its parts and the resulting token. The index in the list is the rank. */
export interface Merge {
  readonly left: TokenId;
  readonly right: TokenId;
  readonly product: TokenId;
}

/**
 * Open addressing over flat arrays: the inner loop of the encoder is this lookup, and a `Map` keyed by the pair would
 * box every key, as pairs of GPT-J's tokens do not fit in 31 bits.
 *
 * If a pair occurs twice, the last one applies, as in the `tokenizers` library.
 */
export function createMergeTable(merges: readonly Merge[]): MergeTable {
  let size = 16;
  while (size < merges.length * 2) size *= 2;
  const mask = size - 1;
  const lefts = new Int32Array(size).fill(-1);
  const rights = new Int32Array(size);
  const ranks = new Int32Array(size);
  const product = new Int32Array(merges.length);

  /** Slot of the pair, or the free slot for it. */
  const slotOf = (left: number, right: number): number => {
    const mixed = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b);
    let slot = (mixed ^ (mixed >>> 15)) & mask;
    while (lefts[slot] !== -1 && (lefts[slot] !== left || rights[slot] !== right)) slot = (slot + 1) & mask;
    return slot;
  };

  merges.forEach((merge, rank) => {
    product[rank] = merge.product;
    const slot = slotOf(merge.left, merge.right);
    lefts[slot] = merge.left;
    rights[slot] = merge.right;
    ranks[slot] = rank;
  });

  return {
    product,
    rank(left, right) {
      const slot = slotOf(left, right);
      return lefts[slot] === -1 ? -1 : ranks[slot]!;
    },
  };
}
