import type { TokenId } from '@gptj-cloud/model';

/** Diverse beam search (arXiv 1610.02424): each token loses `penalty` for every time an earlier group chose it now. Returns the steps. */
export function penaliseChosen(scores: Float32Array, chosen: readonly TokenId[], penalty: number): number {
  for (const token of chosen) scores[token] = scores[token]! - penalty;
  return chosen.length;
}
