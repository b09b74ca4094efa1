import { keepFirst, Ranking } from '../numerics/ranking.ts';
import { STEPS } from '../work-budget.ts';

/** Number of likeliest tokens that top-h considers. */
const CONSIDERED = 100;

const ranking = new Ranking();

/**
 * Top-H (arXiv 2509.02510): of the 100 likeliest tokens keep the first ones whose entropy terms stay within the share
 * `h` of their total entropy; the likeliest always stays. Returns the steps.
 */
export function keepTopH(scores: Float32Array, h: number): number {
  ranking.rank(scores);
  const considered = Math.min(CONSIDERED, ranking.count);
  if (considered === 0) return ranking.steps;
  const largest = scores[ranking.at(0)]!;
  const weights = Array.from({ length: considered }, (_, at) => Math.exp(scores[ranking.at(at)]! - largest));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const terms = weights.map((weight) => (weight === 0 ? 0 : -(weight / sum) * Math.log(weight / sum)));
  const threshold = h * terms.reduce((total, term) => total + term, 0);
  let cumulative = 0;
  let kept = 0;
  while (kept < considered) {
    cumulative += terms[kept]!;
    // A probability that float32 rounds to 0 has no entropy term in transformers (0 * log 0 is NaN) and is removed.
    if (kept > 0 && (cumulative > threshold || Math.fround(weights[kept]! / sum) === 0)) break;
    kept++;
  }
  keepFirst(scores, ranking, kept);
  return ranking.steps + 2 * scores.length + STEPS.map * CONSIDERED;
}
