import { nthLargest, Ranking } from '../numerics/ranking.ts';
import { STEPS } from '../work-budget.ts';
import { dropBelow } from './cutoff.ts';

/** Up to this k, inserting into a short sorted list is faster than ranking the row. */
const FEW = 256;

const ranking = new Ranking();

/**
 * Forbid everything below the k-th largest score. Scores equal to the k-th stay, so more than k tokens may stay. Returns
 * the steps.
 */
export function keepTopK(scores: Float32Array, k: number): number {
  if (k <= FEW) {
    dropBelow(scores, nthLargest(scores, k));
    return 3 * scores.length + STEPS.map * k;
  }
  ranking.rank(scores);
  if (ranking.count > k) dropBelow(scores, scores[ranking.at(k - 1)]!);
  return ranking.steps + scores.length;
}
