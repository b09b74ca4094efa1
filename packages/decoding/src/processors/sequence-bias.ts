import type { TokenId } from '@gptj-cloud/model';
import type { SequenceBias } from '../generate-config.ts';
import { type Prefix, sortSequences } from '../sorted-sequences.ts';
import { type Charge, STEPS } from '../work-budget.ts';

/** The indices of the words that a sequence has begun up to their last token, and the steps of the search. */
type PendingWords = (sequence: readonly TokenId[]) => { readonly pending: readonly number[]; readonly steps: number };

/** Finds them from the end of the sequence backwards, whatever the number of words. */
function pendingWords(words: readonly (readonly TokenId[])[], charge: Charge): PendingWords {
  const beginnings = sortSequences(
    words.map((word) => word.slice(0, -1).reverse()),
    charge,
  );
  return (sequence) => {
    const pending = [...beginnings.endingAt(beginnings.root)];
    let prefix: Prefix | null = beginnings.root;
    let at = sequence.length;
    while (prefix !== null && --at >= 0) {
      prefix = beginnings.follow(prefix, sequence[at]!);
      if (prefix !== null && beginnings.isEnd(prefix)) pending.push(...beginnings.endingAt(prefix));
    }
    const steps = beginnings.followSteps * (sequence.length - at) + STEPS.map * pending.length;
    return { pending, steps };
  };
}

/**
 * Adds each entry's bias to the token that would complete it; biases of one token add up. The returned function returns
 * the steps that it took; `charge` takes those of the preparation.
 */
export function sequenceBiaser(
  biases: readonly SequenceBias[],
  charge: Charge,
): (scores: Float32Array, sequence: readonly TokenId[]) => number {
  const pendingOf = pendingWords(
    biases.map(({ tokens }) => tokens),
    charge,
  );
  const sums = new Map<TokenId, number>();
  return (scores, sequence) => {
    const { pending, steps } = pendingOf(sequence);
    sums.clear();
    // In the order given: the sum of three biases depends on it.
    for (const index of Int32Array.from(pending).sort()) {
      const { tokens, bias } = biases[index]!;
      const last = tokens.at(-1)!;
      sums.set(last, (sums.get(last) ?? 0) + bias);
    }
    for (const [token, bias] of sums) scores[token] = scores[token]! + bias;
    return steps;
  };
}

/** Forbids the token that would complete one of `words`; steps as in `sequenceBiaser`. */
export function wordForbidder(
  words: readonly (readonly TokenId[])[],
  charge: Charge,
): (scores: Float32Array, sequence: readonly TokenId[]) => number {
  const pendingOf = pendingWords(words, charge);
  return (scores, sequence) => {
    const { pending, steps } = pendingOf(sequence);
    for (const index of pending) scores[words[index]!.at(-1)!] = Number.NEGATIVE_INFINITY;
    return steps;
  };
}
