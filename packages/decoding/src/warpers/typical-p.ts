import { expOfNegative } from '../numerics/exponential.ts';
import { Ranking } from '../numerics/ranking.ts';
import { STEPS } from '../work-budget.ts';
import { entropyOf } from './entropy.ts';

const ranking = new Ranking();
let buffer = new Float32Array(0);

/**
 * Locally typical sampling (arXiv 2202.00666): keep the tokens whose surprise is nearest to the entropy until their
 * probabilities reach `mass`, at least `keep` of them. Equally near tokens stay together. Returns the steps.
 */
export function keepTypical(scores: Float32Array, mass: number, keep: number): number {
  const { normaliser, entropy } = entropyOf(scores);
  if (buffer.length < scores.length) buffer = new Float32Array(scores.length);
  const closeness = buffer.subarray(0, scores.length);
  for (let id = 0; id < scores.length; id++) closeness[id] = -Math.abs(normaliser - scores[id]! - entropy);
  ranking.rank(closeness);
  let cumulative = 0;
  let last = 0;
  while (last < ranking.count) {
    cumulative += expOfNegative(scores[ranking.at(last)]! - normaliser);
    if (cumulative >= mass) break;
    last++;
  }
  const steps = ranking.steps + (2 * STEPS.exp + 6) * scores.length + (STEPS.exp + 6) * last;
  if (last >= ranking.count) return steps;
  const farthest = closeness[ranking.at(last)]!;
  const always = Array.from({ length: Math.min(keep, ranking.count) }, (_, at) => {
    const id = ranking.at(at);
    return [id, scores[id]!] as const;
  });
  for (let id = 0; id < scores.length; id++) if (closeness[id]! < farthest) scores[id] = Number.NEGATIVE_INFINITY;
  for (const [id, score] of always) scores[id] = score;
  return steps;
}
