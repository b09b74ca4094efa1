import { logSumExp } from '../numerics/log-softmax.ts';

/** Normaliser of a row and the entropy of its softmax in nats; a forbidden token contributes nothing. */
export function entropyOf(scores: Float32Array): { readonly normaliser: number; readonly entropy: number } {
  const normaliser = logSumExp(scores);
  let entropy = 0;
  for (let id = 0; id < scores.length; id++) {
    const logProbability = scores[id]! - normaliser;
    if (logProbability > -100) entropy -= Math.exp(logProbability) * logProbability;
  }
  return { normaliser, entropy };
}
