const MAX_FLOAT32 = 3.4028234663852886e38;

/**
 * NaN becomes 0 and +inf the largest float32. `alsoLowest` (transformers from 4.36): -inf becomes the lowest, which
 * makes forbidden tokens possible again, if barely. Returns the steps that it took.
 */
export function removeInvalidValues(scores: Float32Array, alsoLowest: boolean): number {
  for (let id = 0; id < scores.length; id++) {
    const score = scores[id]!;
    if (Number.isNaN(score)) scores[id] = 0;
    else if (score === Number.POSITIVE_INFINITY) scores[id] = MAX_FLOAT32;
    else if (alsoLowest && score === Number.NEGATIVE_INFINITY) scores[id] = -MAX_FLOAT32;
  }
  return 2 * scores.length;
}
