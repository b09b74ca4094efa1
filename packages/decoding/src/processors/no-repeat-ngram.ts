import type { TokenId } from '@gptj-cloud/model';

/**
 * Forbid every token that would complete an n-gram of `text`: the last n-1 tokens of `sequence` and the token after
 * each place where they occur in `text`. With `text` = `sequence` no n-gram occurs twice; with the prompt as `text`
 * no n-gram of the prompt is repeated.
 */
export function forbidRepeatedNgrams(
  scores: Float32Array,
  sequence: readonly TokenId[],
  text: readonly TokenId[],
  size: number,
): void {
  const begin = sequence.length - (size - 1);
  if (begin < 0) return;
  for (let start = 0; start + size <= text.length; start++) {
    let at = 0;
    while (at < size - 1 && text[start + at] === sequence[begin + at]) at++;
    if (at === size - 1) scores[text[start + at]!] = Number.NEGATIVE_INFINITY;
  }
}
