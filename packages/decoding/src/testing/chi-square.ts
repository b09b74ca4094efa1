/**
 * Pearson's statistic of observed counts against expected probabilities, cells with fewer than 5 expected pooled, as a
 * standard normal deviate (Wilson and Hilferty): above 3.72 has a chance of 1e-4 if the probabilities are right.
 */
export function chiSquareDeviate(observed: readonly number[], probabilities: readonly number[]): number {
  const total = observed.reduce((sum, count) => sum + count, 0);
  let statistic = 0;
  let cells = 0;
  let pooledCount = 0;
  let pooledExpected = 0;
  for (const [cell, probability] of probabilities.entries()) {
    const expected = probability * total;
    if (expected < 5) {
      pooledCount += observed[cell] ?? 0;
      pooledExpected += expected;
      continue;
    }
    statistic += ((observed[cell] ?? 0) - expected) ** 2 / expected;
    cells++;
  }
  if (pooledExpected >= 5) {
    statistic += (pooledCount - pooledExpected) ** 2 / pooledExpected;
    cells++;
  }
  const freedom = cells - 1;
  const spread = 2 / (9 * freedom);
  return (Math.cbrt(statistic / freedom) - (1 - spread)) / Math.sqrt(spread);
}
