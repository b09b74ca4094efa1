/** Mean natural log-probability of the tokens that have one, and the perplexity of the text; null without any. */
export function meanLogprob(
  tokens: readonly { readonly logprob: number | null }[],
): { readonly mean: number; readonly perplexity: number } | null {
  const known = tokens.flatMap(({ logprob }) => (logprob === null ? [] : [logprob]));
  if (known.length === 0) return null;
  const mean = known.reduce((sum, logprob) => sum + logprob, 0) / known.length;
  return { mean, perplexity: Math.exp(-mean) };
}
