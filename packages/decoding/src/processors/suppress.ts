import type { TokenId } from '@gptj-cloud/model';

/** Forbid `tokens`. Negative ids (an EOS of -1) are skipped. */
export function suppress(scores: Float32Array, tokens: readonly TokenId[]): void {
  for (const token of tokens) if (token >= 0) scores[token] = Number.NEGATIVE_INFINITY;
}

/** Forbid all tokens but `tokens`, which become equally likely. */
export function force(scores: Float32Array, tokens: readonly TokenId[]): void {
  scores.fill(Number.NEGATIVE_INFINITY);
  for (const token of tokens) scores[token] = 0;
}
