import { expOfNegative } from './exponential.ts';

/** The largest value; -inf when there is none. NaN is ignored. */
export function largestOf(values: Float32Array): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < values.length; index++) if (values[index]! > largest) largest = values[index]!;
  return largest;
}

/**
 * log(sum(exp(values))), in float64 with the maximum subtracted. -inf when every value is -inf.
 * NaN entries count as -inf: they cannot be chosen.
 */
export function logSumExp(values: Float32Array): number {
  const largest = largestOf(values);
  if (largest === Number.NEGATIVE_INFINITY || largest === Number.POSITIVE_INFINITY) return largest;
  return largest + logSumBelow(values, largest);
}

/** log(sum(exp(values - largest))), `largest` being finite. */
function logSumBelow(values: Float32Array, largest: number): number {
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += expOfNegative(values[index]! - largest);
  return Math.log(sum);
}

/** Turn logits into log-probabilities, in place. A row without any finite value is left as it is. */
export function logSoftmaxInPlace(values: Float32Array): void {
  const largest = largestOf(values);
  if (!Number.isFinite(largest)) return;
  // In two steps: added to 3.4e38, which remove_invalid_values makes of infinity, the logarithm would be lost.
  const rest = logSumBelow(values, largest);
  for (let index = 0; index < values.length; index++) values[index] = values[index]! - largest - rest;
}
