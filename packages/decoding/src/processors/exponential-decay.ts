import type { TokenId } from '@gptj-cloud/model';
import type { CompatVersion } from '../generate-config.ts';
import { STEPS } from '../work-budget.ts';

/**
 * Favour EOS by `factor` for each of the `excess` tokens beyond the start. Compat 4.25 multiplies the score itself, which
 * lowers a negative one; from 4.34 on the score grows by a multiple of its size. A forbidden EOS stays forbidden. Returns the steps.
 */
export function favourEos(
  scores: Float32Array,
  eosTokenIds: readonly TokenId[],
  factor: number,
  excess: number,
  compat: CompatVersion,
): number {
  const growth = factor ** excess;
  for (const token of eosTokenIds) {
    const score = scores[token];
    if (score === undefined || score === Number.NEGATIVE_INFINITY) continue;
    scores[token] = compat === '4.25' ? score * growth : score + Math.abs(score) * (growth - 1);
  }
  return STEPS.log + eosTokenIds.length;
}
