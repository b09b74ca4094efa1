import { expOfNegative } from '../numerics/exponential.ts';
import { largestOf } from '../numerics/log-softmax.ts';

/** Normaliser of a row and the entropy of its softmax in nats; a forbidden token contributes nothing. */
export function entropyOf(scores: Float32Array): { readonly normaliser: number; readonly entropy: number } {
  const largest = largestOf(scores);
  let sum = 0;
  let weighted = 0;
  for (let id = 0; id < scores.length; id++) {
    const distance = scores[id]! - largest;
    const weight = expOfNegative(distance);
    if (weight === 0) continue;
    sum += weight;
    weighted += weight * distance;
  }
  // H = -sum p ln p with ln p = distance - ln sum.
  return { normaliser: largest + Math.log(sum), entropy: Math.log(sum) - weighted / sum };
}
