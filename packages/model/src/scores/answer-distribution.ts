/** The distribution that a run has over the answers of a document. Accuracy and flips see only which answer is the largest. */

/** Of a continuation whose log-likelihood was rounded to 0, the least that all others can have together. */
const MIN_REST = 2 ** -53;

/**
 * Logarithms of the probabilities: over the choices of a document; with one request, of its continuation and of every other
 * one together.
 */
export function distributionOf(logLikelihoods: readonly number[]): readonly number[] {
  const [only] = logLikelihoods;
  if (logLikelihoods.length === 1) return [only!, Math.log(Math.max(-Math.expm1(only!), MIN_REST))];
  const largest = Math.max(...logLikelihoods);
  const sum = logLikelihoods.reduce((total, each) => total + Math.exp(each - largest), 0);
  return logLikelihoods.map((each) => each - largest - Math.log(sum));
}

/** Kullback-Leibler divergence in nats. An outcome that `before` gives no probability adds nothing. */
export function divergence(before: readonly number[], after: readonly number[]): number {
  const sum = before.reduce((total, logP, at) => {
    const p = Math.exp(logP);
    return p === 0 ? total : total + p * (logP - after[at]!);
  }, 0);
  // Rounding can make that of nearly equal distributions negative.
  return Math.max(0, sum);
}
