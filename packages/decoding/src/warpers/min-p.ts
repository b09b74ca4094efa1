import { Ranking } from '../numerics/ranking.ts';

const ranking = new Ranking();

/** Forbid tokens less likely than `p` times the likeliest (arXiv 2407.01082), but leave at least `keep`. */
export function keepMinP(scores: Float32Array, p: number, keep: number): void {
  ranking.rank(scores);
  if (ranking.count <= keep) return;
  const largest = scores[ranking.at(0)]!;
  const leastKept = scores[ranking.at(keep - 1)]!;
  for (let id = 0; id < scores.length; id++) {
    const score = scores[id]!;
    if (score < leastKept && Math.exp(score - largest) < p) scores[id] = Number.NEGATIVE_INFINITY;
  }
}
