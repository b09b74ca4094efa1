import { logSoftmaxInPlace, logSumExp } from '../numerics/log-softmax.ts';
import { STEPS } from '../work-budget.ts';

/** Classifier-free guidance (arXiv 2306.17806): move from the unconditional log-probabilities to `scale` times beyond. Returns the steps. */
export function guide(scores: Float32Array, unconditional: Float32Array, scale: number): number {
  logSoftmaxInPlace(scores);
  const normaliser = logSumExp(unconditional);
  for (let id = 0; id < scores.length; id++) {
    const base = unconditional[id]! - normaliser;
    scores[id] = scale * (scores[id]! - base) + base;
  }
  return (2 * STEPS.exp + 6) * scores.length;
}
