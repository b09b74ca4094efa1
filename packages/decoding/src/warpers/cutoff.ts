import { logSumExp } from '../numerics/log-softmax.ts';
import { nthLargest } from '../numerics/ranking.ts';
import { STEPS } from '../work-budget.ts';
import { entropyOf } from './entropy.ts';

/** Forbid tokens less likely than `epsilon` (arXiv 2210.15191), except what ties with or beats the `keep` likeliest. Returns the steps. */
export function cutBelowEpsilon(scores: Float32Array, epsilon: number, keep: number): number {
  dropBelow(scores, Math.min(logSumExp(scores) + Math.log(epsilon), nthLargest(scores, keep)));
  return (STEPS.exp + 6) * scores.length;
}

/**
 * Eta sampling (arXiv 2210.15191): as `cutBelowEpsilon`, with a threshold that falls where the distribution is flat,
 * min(epsilon, sqrt(epsilon) * exp(-entropy)). Returns the steps.
 */
export function cutBelowEta(scores: Float32Array, epsilon: number, keep: number): number {
  const { normaliser, entropy } = entropyOf(scores);
  const eta = Math.min(Math.log(epsilon), Math.log(epsilon) / 2 - entropy);
  dropBelow(scores, Math.min(normaliser + eta, nthLargest(scores, keep)));
  return (STEPS.exp + 6) * scores.length;
}

/** Forbid every score below `threshold`. */
export function dropBelow(scores: Float32Array, threshold: number): void {
  for (let id = 0; id < scores.length; id++) if (scores[id]! < threshold) scores[id] = Number.NEGATIVE_INFINITY;
}
