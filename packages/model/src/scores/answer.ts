/** How a model answered a document of a task, from the log-likelihoods of its requests. */

export interface DocumentScores {
  readonly logLikelihoods: readonly number[];
  /** By metric. */
  readonly values: Readonly<Record<string, number>>;
}

/** Index of the first of the largest values. */
export function bestIndex(values: readonly number[]): number {
  let best = 0;
  for (let at = 1; at < values.length; at++) if (values[at]! > values[best]!) best = at;
  return best;
}

/**
 * Log-likelihood of the right request above the best other one; of one request, its log-likelihood. Null without the
 * log-likelihood of the right request.
 */
export function marginOf(logLikelihoods: readonly number[], gold: number): number | null {
  const own = logLikelihoods[gold];
  if (own === undefined) return null;
  const others = logLikelihoods.filter((_, at) => at !== gold);
  return others.length === 0 ? own : own - Math.max(...others);
}

/** The chosen request; of one request or a generated text, 1 where it is right. */
export function chosenOf({ logLikelihoods, values }: DocumentScores): number {
  if (logLikelihoods.length > 1) return bestIndex(logLikelihoods);
  return Number((values.acc ?? values.exact_match ?? 0) > 0);
}
