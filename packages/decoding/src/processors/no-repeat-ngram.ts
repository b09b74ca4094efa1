import type { TokenId } from '@gptj-cloud/model';
import { STEPS } from '../work-budget.ts';

let fallback = new Int32Array(0);

/**
 * Forbid every token that would complete an n-gram of `text`: the last n-1 tokens of `sequence` and the token after
 * each place where they occur in `text`. With `text` = `sequence` no n-gram occurs twice; with the prompt as `text`
 * no n-gram of the prompt is repeated.
 *
 * The search is that of Knuth, Morris and Pratt: linear in both lengths, also in a text of one token repeated. Returns
 * the steps that it took.
 */
export function forbidRepeatedNgrams(
  scores: Float32Array,
  sequence: readonly TokenId[],
  text: readonly TokenId[],
  size: number,
): number {
  const begin = sequence.length - (size - 1);
  if (begin < 0 || size > text.length) return 1;
  const length = size - 1;
  if (length === 0) {
    for (const token of text) scores[token] = Number.NEGATIVE_INFINITY;
    return text.length;
  }
  if (fallback.length < length) fallback = new Int32Array(length);
  fallback[0] = 0;
  for (let at = 1, matched = 0; at < length; at++) {
    while (matched > 0 && sequence[begin + at] !== sequence[begin + matched]) matched = fallback[matched - 1]!;
    if (sequence[begin + at] === sequence[begin + matched]) matched++;
    fallback[at] = matched;
  }
  // The last token of the text has no token after it.
  for (let at = 0, matched = 0; at < text.length - 1; at++) {
    while (matched > 0 && text[at] !== sequence[begin + matched]) matched = fallback[matched - 1]!;
    if (text[at] === sequence[begin + matched]) matched++;
    if (matched < length) continue;
    scores[text[at + 1]!] = Number.NEGATIVE_INFINITY;
    matched = fallback[length - 1]!;
  }
  return STEPS.exp * (length + text.length);
}
