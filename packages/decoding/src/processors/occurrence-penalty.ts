import type { TokenId } from '@gptj-cloud/model';
import { STEPS } from '../work-budget.ts';

/**
 * OpenAI's two penalties: every generated token loses `presence` once and `frequency` for each time it was generated.
 * Prompt tokens do not count. Negative values favour. Returns the steps that it took.
 */
export function penaliseOccurrence(
  scores: Float32Array,
  generated: readonly TokenId[],
  presence: number,
  frequency: number,
): number {
  const counts = new Map<TokenId, number>();
  for (const token of generated) counts.set(token, (counts.get(token) ?? 0) + 1);
  for (const [token, count] of counts) scores[token] = scores[token]! - presence - frequency * count;
  return STEPS.map * generated.length;
}
