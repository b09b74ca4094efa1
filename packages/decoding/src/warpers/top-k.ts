import { Ranking } from '../numerics/ranking.ts';
import { dropBelow } from './cutoff.ts';

const ranking = new Ranking();

/** Forbid everything below the k-th largest score. What equals the k-th stays, so more than k may. */
export function keepTopK(scores: Float32Array, k: number): void {
  ranking.rank(scores);
  if (ranking.count > k) dropBelow(scores, scores[ranking.at(k - 1)]!);
}
