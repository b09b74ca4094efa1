import type { TokenId } from '@gptj-cloud/model';

/** Forbid EOS while the sequence, prompt included, is shorter than `minLength`. */
export function forbidEosBefore(
  scores: Float32Array,
  sequence: readonly TokenId[],
  minLength: number,
  eosTokenIds: readonly TokenId[],
): void {
  if (sequence.length >= minLength) return;
  for (const token of eosTokenIds) if (token >= 0) scores[token] = Number.NEGATIVE_INFINITY;
}
