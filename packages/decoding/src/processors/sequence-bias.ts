import type { TokenId } from '@gptj-cloud/model';
import type { SequenceBias } from '../generate-config.ts';

/** Whether `sequence` ends with `tokens` without its last, so that the last token would complete it. */
function isPending(sequence: readonly TokenId[], tokens: readonly TokenId[]): boolean {
  const offset = sequence.length - (tokens.length - 1);
  if (offset < 0) return false;
  for (let at = 0; at < tokens.length - 1; at++) if (sequence[offset + at] !== tokens[at]) return false;
  return true;
}

/** Add each entry's bias to the token that would complete it; biases of one token add up. */
export function biasSequences(
  scores: Float32Array,
  sequence: readonly TokenId[],
  biases: readonly SequenceBias[],
): void {
  const sums = new Map<TokenId, number>();
  for (const { tokens, bias } of biases) {
    if (!isPending(sequence, tokens)) continue;
    const last = tokens.at(-1)!;
    sums.set(last, (sums.get(last) ?? 0) + bias);
  }
  for (const [token, bias] of sums) scores[token] = scores[token]! + bias;
}

/** Forbid the token that would complete one of `words`. */
export function forbidWords(
  scores: Float32Array,
  sequence: readonly TokenId[],
  words: readonly (readonly TokenId[])[],
): void {
  for (const word of words) if (isPending(sequence, word)) scores[word.at(-1)!] = Number.NEGATIVE_INFINITY;
}
