import type { TokenId } from '@gptj-cloud/model';
import { STEPS } from '../work-budget.ts';

/** Push every id of `tokens` away from being chosen (penalty above 1) or towards it (below 1); arXiv 1909.05858. Returns the steps. */
export function penaliseRepetition(scores: Float32Array, tokens: readonly TokenId[], penalty: number): number {
  for (const token of new Set(tokens)) {
    const score = scores[token]!;
    scores[token] = score < 0 ? score * penalty : score / penalty;
  }
  return STEPS.map * tokens.length;
}
