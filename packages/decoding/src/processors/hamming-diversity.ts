import type { TokenId } from '@gptj-cloud/model';

/** Diverse beam search (arXiv 1610.02424): each token loses `penalty` for every time an earlier group chose it now. */
export function penaliseChosen(scores: Float32Array, chosen: readonly TokenId[], penalty: number): void {
  for (const token of chosen) scores[token] = scores[token]! - penalty;
}
