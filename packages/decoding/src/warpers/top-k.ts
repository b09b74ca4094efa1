import { Ranking } from '../numerics/ranking.ts';

const ranking = new Ranking();

/** Forbid everything below the k-th largest score. What equals the k-th stays, so more than k may. */
export function keepTopK(scores: Float32Array, k: number): void {
  ranking.rank(scores);
  if (ranking.count <= k) return;
  const least = scores[ranking.at(k - 1)]!;
  for (let id = 0; id < scores.length; id++) if (scores[id]! < least) scores[id] = Number.NEGATIVE_INFINITY;
}
