import type { TokenId } from '@gptj-cloud/model';
import type { TokenReport } from './generate-outcome.ts';
import { logSumExp } from './numerics/log-softmax.ts';
import { Ranking } from './numerics/ranking.ts';
import { STEPS, type WorkBudget } from './work-budget.ts';

const ranking = new Ranking();

/** The log-probability of `token` under raw logits, with the `topCount` most likely tokens beside it. */
export function reportToken(logits: Float32Array, token: TokenId, topCount: number, budget: WorkBudget): TokenReport {
  const normaliser = logSumExp(logits);
  const top: { token: TokenId; logprob: number }[] = [];
  if (topCount > 0) {
    ranking.rank(logits);
    for (let at = 0; at < Math.min(topCount, ranking.count); at++) {
      const id = ranking.at(at);
      top.push({ token: id, logprob: logits[id]! - normaliser });
    }
  }
  budget.charge('logprobs', (STEPS.exp + 2) * logits.length + (topCount > 0 ? ranking.steps : 0));
  return { token, logprob: logits[token]! - normaliser, top };
}
