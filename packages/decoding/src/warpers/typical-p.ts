import { Ranking } from '../numerics/ranking.ts';
import { entropyOf } from './entropy.ts';

const ranking = new Ranking();
let closeness = new Float64Array(0);

/**
 * Locally typical sampling (arXiv 2202.00666): keep the tokens whose surprise is nearest to the entropy until their
 * probabilities reach `mass`, at least `keep` of them. Equally near tokens stay together.
 */
export function keepTypical(scores: Float32Array, mass: number, keep: number): void {
  const { normaliser, entropy } = entropyOf(scores);
  if (closeness.length !== scores.length) closeness = new Float64Array(scores.length);
  for (let id = 0; id < scores.length; id++) closeness[id] = -Math.abs(normaliser - scores[id]! - entropy);
  ranking.rank(closeness);
  let cumulative = 0;
  let last = 0;
  while (last < ranking.count) {
    cumulative += Math.exp(scores[ranking.at(last)]! - normaliser);
    if (cumulative >= mass) break;
    last++;
  }
  if (last >= ranking.count) return;
  const farthest = closeness[ranking.at(last)]!;
  const always = new Set(Array.from({ length: Math.min(keep, ranking.count) }, (_, at) => ranking.at(at)));
  for (let id = 0; id < scores.length; id++) {
    if (closeness[id]! < farthest && !always.has(id)) scores[id] = Number.NEGATIVE_INFINITY;
  }
}
