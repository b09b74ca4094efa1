import type { TokenId } from '@gptj-cloud/model';
import { builtOnce } from '../built-once.ts';
import type { SequenceBias } from '../generate-config.ts';
import { type Prefix, sortSequences } from '../sorted-sequences.ts';
import { type Charge, STEPS } from '../work-budget.ts';

type Words = readonly (readonly TokenId[])[];
/** Changes scores by what a sequence has begun. Returns the steps that it took. */
type Change = (scores: Float32Array, sequence: readonly TokenId[]) => number;

interface PendingWords {
  /** Indices of the words of one token, which every sequence has begun up to their last token. */
  readonly always: readonly number[];
  /** Those of the other words that the sequence has begun up to their last token, and the steps of finding all. */
  readonly after: (sequence: readonly TokenId[]) => { readonly pending: readonly number[]; readonly steps: number };
}

/** Finds words from the end of the sequence backwards, whatever their number. */
function pendingWords(words: Words, charge: Charge): PendingWords {
  const beginnings = sortSequences(
    words.map((word) => word.slice(0, -1).reverse()),
    charge,
  );
  const always = beginnings.endingAt(beginnings.root);
  return {
    always,
    after: (sequence) => {
      const pending: number[] = [];
      let prefix: Prefix | null = beginnings.root;
      let at = sequence.length;
      while (prefix !== null && --at >= 0) {
        prefix = beginnings.follow(prefix, sequence[at]!);
        if (prefix !== null && beginnings.isEnd(prefix)) pending.push(...beginnings.endingAt(prefix));
      }
      const found = always.length + pending.length;
      return { pending, steps: beginnings.followSteps * (sequence.length - at) + STEPS.map * found };
    },
  };
}

/** The biases of each token together. */
function sumBiases(biases: readonly SequenceBias[], indices: readonly number[]): ReadonlyMap<TokenId, number> {
  const sums = new Map<TokenId, number>();
  // In the order given: the sum of three biases depends on it.
  for (const index of Int32Array.from(indices).sort()) {
    const { tokens, bias } = biases[index]!;
    const last = tokens.at(-1)!;
    sums.set(last, (sums.get(last) ?? 0) + bias);
  }
  return sums;
}

/**
 * Adds each entry's bias to the token that would complete it; biases of one token add up. `charge` takes the steps of
 * the preparation.
 */
export const sequenceBiaser: (biases: readonly SequenceBias[], charge: Charge) => Change = builtOnce(
  (biases: readonly SequenceBias[], charge) => {
    const words = biases.map(({ tokens }) => tokens);
    const { always, after } = pendingWords(words, charge);
    const single = sumBiases(biases, always);
    const tokens = Int32Array.from(single.keys());
    const sums = Float64Array.from(single.values());
    return (scores, sequence) => {
      const { pending, steps } = after(sequence);
      if (pending.length === 0) {
        for (let at = 0; at < tokens.length; at++) scores[tokens[at]!] = scores[tokens[at]!]! + sums[at]!;
      } else {
        for (const [token, sum] of sumBiases(biases, [...always, ...pending])) scores[token] = scores[token]! + sum;
      }
      return steps;
    };
  },
);

/** Forbids the token that would complete one of `words`. `charge` takes the steps of the preparation. */
export const wordForbidder: (words: Words, charge: Charge) => Change = builtOnce((words: Words, charge) => {
  const { always, after } = pendingWords(words, charge);
  const tokens = Int32Array.from(always, (index) => words[index]!.at(-1)!);
  return (scores, sequence) => {
    const { pending, steps } = after(sequence);
    for (const token of tokens) scores[token] = Number.NEGATIVE_INFINITY;
    for (const index of pending) scores[words[index]!.at(-1)!] = Number.NEGATIVE_INFINITY;
    return steps;
  };
});
