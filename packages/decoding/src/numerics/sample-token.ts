import type { TokenId } from '@gptj-cloud/model';
import { noPossibleToken } from './argmax.ts';

/**
 * Draw a token by inverse CDF: the smallest id whose cumulative probability exceeds `uniform`, probabilities being
 * softmax(scores), accumulated in float64. A token at -inf is never drawn.
 *
 * Throws `no_possible_token` when every score is -inf.
 */
export function sampleToken(scores: Float32Array, uniform: number): TokenId {
  let largest = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < scores.length; id++) if (scores[id]! > largest) largest = scores[id]!;
  if (largest === Number.NEGATIVE_INFINITY) throw noPossibleToken();
  let sum = 0;
  for (let id = 0; id < scores.length; id++) {
    if (scores[id]! > Number.NEGATIVE_INFINITY) sum += weight(scores[id]!, largest);
  }
  const target = uniform * sum;
  let cumulative = 0;
  let last = 0;
  for (let id = 0; id < scores.length; id++) {
    if (!(scores[id]! > Number.NEGATIVE_INFINITY)) continue;
    const mass = weight(scores[id]!, largest);
    if (mass === 0) continue;
    cumulative += mass;
    last = id;
    if (cumulative > target) return id;
  }
  return last;
}

/** exp(score - largest); equal infinities count as equal. */
function weight(score: number, largest: number): number {
  return score === largest ? 1 : Math.exp(score - largest);
}
