import { nthLargest, Ranking } from '../numerics/ranking.ts';
import { dropBelow } from './cutoff.ts';

/** Up to this k, inserting into a short sorted list is faster than ranking the row. */
const FEW = 256;

const ranking = new Ranking();

/** Forbid everything below the k-th largest score. Scores equal to the k-th stay, so more than k tokens may stay. */
export function keepTopK(scores: Float32Array, k: number): void {
  if (k <= FEW) {
    dropBelow(scores, nthLargest(scores, k));
    return;
  }
  ranking.rank(scores);
  if (ranking.count > k) dropBelow(scores, scores[ranking.at(k - 1)]!);
}
