import type { TokenId } from '@gptj-cloud/model';
import { noPossibleToken } from './argmax.ts';
import { expOfNegative } from './exponential.ts';
import { largestOf } from './log-softmax.ts';

let weights = new Float64Array(0);

/**
 * Draw a token by inverse CDF: the smallest id whose cumulative probability exceeds `uniform`, probabilities being
 * softmax(scores), accumulated in float64. A token at -inf is never drawn.
 *
 * Throws `no_possible_token` when every score is -inf.
 */
export function sampleToken(scores: Float32Array, uniform: number): TokenId {
  const largest = largestOf(scores);
  if (largest === Number.NEGATIVE_INFINITY) throw noPossibleToken();
  if (weights.length < scores.length) weights = new Float64Array(scores.length);
  let sum = 0;
  for (let id = 0; id < scores.length; id++) {
    const score = scores[id]!;
    // Equal infinities count as equal, where their difference would be NaN.
    const weight = score === largest ? 1 : expOfNegative(score - largest);
    weights[id] = weight;
    sum += weight;
  }
  const target = uniform * sum;
  let cumulative = 0;
  let last = 0;
  for (let id = 0; id < scores.length; id++) {
    const weight = weights[id]!;
    if (weight === 0) continue;
    cumulative += weight;
    last = id;
    if (cumulative > target) return id;
  }
  return last;
}
