import { logSumExp } from '../numerics/log-softmax.ts';
import { Ranking } from '../numerics/ranking.ts';
import { entropyOf } from './entropy.ts';

const ranking = new Ranking();

/** Forbid tokens less likely than `epsilon` (arXiv 2210.15191), except what ties with or beats the `keep` likeliest. */
export function cutBelowEpsilon(scores: Float32Array, epsilon: number, keep: number): void {
  cutBelow(scores, epsilon, logSumExp(scores), keep);
}

/**
 * Eta sampling (arXiv 2210.15191): as `cutBelowEpsilon`, with a threshold that falls where the distribution is flat,
 * min(epsilon, sqrt(epsilon) * exp(-entropy)).
 */
export function cutBelowEta(scores: Float32Array, epsilon: number, keep: number): void {
  const { normaliser, entropy } = entropyOf(scores);
  cutBelow(scores, Math.min(epsilon, Math.sqrt(epsilon) * Math.exp(-entropy)), normaliser, keep);
}

function cutBelow(scores: Float32Array, threshold: number, normaliser: number, keep: number): void {
  ranking.rank(scores);
  if (ranking.count <= keep) return;
  const leastKept = scores[ranking.at(keep - 1)]!;
  for (let id = 0; id < scores.length; id++) {
    const score = scores[id]!;
    if (score < leastKept && Math.exp(score - normaliser) < threshold) scores[id] = Number.NEGATIVE_INFINITY;
  }
}
