import type { TokenId } from '@gptj-cloud/model';
import type { TokenLogprob, TokenReport } from './generate-outcome.ts';
import { logSumExp } from './numerics/log-softmax.ts';
import { Ranking } from './numerics/ranking.ts';
import { STEPS, type WorkBudget } from './work-budget.ts';

const ranking = new Ranking();

/**
 * The log-probability of `token` under raw logits, with the `topCount` most likely tokens beside it. `processed`: the scores
 * after all processors and warpers, whose log-probabilities are reported as well; null: they are not.
 */
export function reportToken(
  logits: Float32Array,
  token: TokenId,
  topCount: number,
  budget: WorkBudget,
  processed: Float32Array | null = null,
): TokenReport {
  const normaliser = logSumExp(logits);
  const after = processed === null ? () => ({}) : processedLogprob(processed, budget);
  const top: TokenLogprob[] = [];
  if (topCount > 0) {
    ranking.rank(logits);
    for (let at = 0; at < Math.min(topCount, ranking.count); at++) {
      const id = ranking.at(at);
      top.push({ token: id, logprob: logits[id]! - normaliser, ...after(id) });
    }
  }
  budget.charge('logprobs', (STEPS.exp + 2) * logits.length + (topCount > 0 ? ranking.steps : 0));
  return { token, logprob: logits[token]! - normaliser, ...after(token), top };
}

/** Of a token: its log-probability under processed scores. */
function processedLogprob(
  scores: Float32Array,
  budget: WorkBudget,
): (token: TokenId) => { readonly processed: number | null } {
  const normaliser = logSumExp(scores);
  budget.charge('processed_logprobs', (STEPS.exp + 2) * scores.length);
  return (token) => {
    const logprob = scores[token]! - normaliser;
    return { processed: Number.isFinite(logprob) ? logprob : null };
  };
}
