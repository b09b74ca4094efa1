import type { TokenId } from '@gptj-cloud/model';

/** Forbid `tokens`. Negative ids (an EOS of -1) are skipped. Returns the steps that it took. */
export function suppress(scores: Float32Array, tokens: readonly TokenId[]): number {
  for (const token of tokens) if (token >= 0) scores[token] = Number.NEGATIVE_INFINITY;
  return tokens.length;
}

/** Forbid all tokens but `tokens`, which become equally likely. Returns the steps that it took. */
export function force(scores: Float32Array, tokens: readonly TokenId[]): number {
  scores.fill(Number.NEGATIVE_INFINITY);
  for (const token of tokens) scores[token] = 0;
  return scores.length + tokens.length;
}
