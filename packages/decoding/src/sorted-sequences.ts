import type { TokenId } from '@gptj-cloud/model';
import { type Charge, STEPS } from './work-budget.ts';

/** A position in the sequences: those from `from` to `to` (excluded) begin with the `depth` tokens given so far. */
export interface Prefix {
  readonly from: number;
  readonly to: number;
  readonly depth: number;
}

/**
 * Sequences of tokens in lexicographical order: a trie without nodes. Following a token is a binary search, so a table
 * needs no memory beyond its order, and a look-up does not depend on the number of sequences.
 */
export interface SortedSequences {
  /** Before the first token. */
  readonly root: Prefix;
  /** The prefix after one more token; null when no sequence goes on with it. */
  readonly follow: (prefix: Prefix, token: TokenId) => Prefix | null;
  /** Indices, in the order given, of the sequences that equal the prefix. */
  readonly endingAt: (prefix: Prefix) => readonly number[];
  /** Whether a sequence equals the prefix. */
  readonly isEnd: (prefix: Prefix) => boolean;
  /** The distinct tokens that continue the prefix, ascending. */
  readonly nextTokens: (prefix: Prefix) => readonly TokenId[];
  /** Steps of one call of `follow`. */
  readonly followSteps: number;
}

/** Sorting is charged before it begins. */
export function sortSequences(sequences: readonly (readonly TokenId[])[], charge: Charge): SortedSequences {
  const rounds = Math.ceil(Math.log2(sequences.length + 1));
  const totalIds = sequences.reduce((sum, { length }) => sum + length, 0);
  charge(STEPS.map * sequences.length * rounds + totalIds * rounds);
  const order = sequences.map((_, index) => index);
  order.sort((a, b) => compare(sequences[a]!, sequences[b]!) || a - b);
  const sorted = order.map((index) => sequences[index]!);

  /** The first sequence of the prefix whose token at its depth is at least `token`. */
  const firstAtLeast = ({ from, to, depth }: Prefix, token: TokenId): number => {
    let low = from;
    let high = to;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sorted[middle]![depth] ?? -1) < token) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  return {
    root: { from: 0, to: sequences.length, depth: 0 },
    follow: (prefix, token) => {
      const from = firstAtLeast(prefix, token);
      const to = firstAtLeast({ ...prefix, from }, token + 1);
      return from === to ? null : { from, to, depth: prefix.depth + 1 };
    },
    endingAt: ({ from, to, depth }) => {
      const ending: number[] = [];
      // Sequences that end come before those that go on.
      for (let at = from; at < to && sorted[at]!.length === depth; at++) ending.push(order[at]!);
      return ending;
    },
    isEnd: ({ from, to, depth }) => from < to && sorted[from]!.length === depth,
    nextTokens: (prefix) => {
      const tokens: TokenId[] = [];
      let at = firstAtLeast(prefix, 0);
      while (at < prefix.to) {
        const token = sorted[at]![prefix.depth]!;
        tokens.push(token);
        at = firstAtLeast({ ...prefix, from: at }, token + 1);
      }
      return tokens;
    },
    followSteps: 8 + 4 * rounds,
  };
}

/** Lexicographical; a sequence comes before those that it begins. */
function compare(a: readonly TokenId[], b: readonly TokenId[]): number {
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at++) if (a[at] !== b[at]) return a[at]! - b[at]!;
  return a.length - b.length;
}
