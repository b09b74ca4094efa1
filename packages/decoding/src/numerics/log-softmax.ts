import { expOfNegative } from './exponential.ts';

/** The largest value; -inf when there is none. NaN is passed over. */
export function largestOf(values: Float32Array): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < values.length; index++) if (values[index]! > largest) largest = values[index]!;
  return largest;
}

/**
 * log(sum(exp(values))), in float64 with the maximum taken out. -inf when every value is -inf.
 * NaN entries count as -inf: they cannot be chosen.
 */
export function logSumExp(values: Float32Array): number {
  const largest = largestOf(values);
  if (largest === Number.NEGATIVE_INFINITY || largest === Number.POSITIVE_INFINITY) return largest;
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += expOfNegative(values[index]! - largest);
  return largest + Math.log(sum);
}

/** Turn logits into log-probabilities, in place. A row without any finite value is left as it is. */
export function logSoftmaxInPlace(values: Float32Array): void {
  const normaliser = logSumExp(values);
  if (!Number.isFinite(normaliser)) return;
  for (let index = 0; index < values.length; index++) values[index] = values[index]! - normaliser;
}
