import { expOfNegative } from '../numerics/exponential.ts';
import { logSumExp } from '../numerics/log-softmax.ts';
import { keepFirst, Ranking } from '../numerics/ranking.ts';
import { STEPS } from '../work-budget.ts';

const ranking = new Ranking();

/**
 * Nucleus sampling (arXiv 1904.09751): keep the likeliest tokens until their probabilities reach `p`, at least `keep`
 * of them. Returns the steps.
 */
export function keepTopP(scores: Float32Array, p: number, keep: number): number {
  ranking.rank(scores);
  const normaliser = logSumExp(scores);
  let above = 0;
  let position = 0;
  // A token is removed when the probabilities of the ones ranked before it already reach p.
  while (position < ranking.count && (position < keep || above < p)) {
    above += expOfNegative(scores[ranking.at(position)]! - normaliser);
    position++;
  }
  keepFirst(scores, ranking, position);
  return ranking.steps + (STEPS.exp + 3) * scores.length + (STEPS.exp + 6) * position;
}
