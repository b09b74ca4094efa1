/** Which alternatives the parameters of a run had removed. */
import type { DraftToken, Parameters } from '../document/draft.ts';

/**
 * Why the alternative at `index` could not be drawn; null where it could, or where that is not known. A filter that the most
 * likely tokens prove is named.
 */
export function cutReason(token: DraftToken, parameters: Parameters, index: number): string | null {
  const processed = token.top[index]?.processed;
  if (processed !== undefined && processed !== null) return null;
  return filterOf(token, parameters, index) ?? (processed === null ? 'removed by the parameters' : null);
}

function filterOf(token: DraftToken, parameters: Parameters, index: number): string | null {
  if (parameters.do_sample === false) return null;
  const { top_k: topK, min_p: minP, temperature = 1 } = parameters;
  if (typeof topK === 'number' && topK > 0 && index >= topK) return `removed by top_k ${topK}`;
  const best = token.top[0]?.logprob ?? null;
  const own = token.top[index]?.logprob ?? null;
  if (typeof minP !== 'number' || typeof temperature !== 'number' || best === null || own === null) return null;
  return Math.exp((own - best) / temperature) < minP ? `removed by min_p ${minP}` : null;
}
