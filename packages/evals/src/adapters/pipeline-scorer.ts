/** Scores requests with the API of a gptj-cloud server: one run for each request, prompts as token ids. */

import type { TokenId } from '@gptj-cloud/model';
import { type GenerateDict, type PipelineCloud, throwIfFailed } from '@gptj-cloud/sdk';
import { EvaluationError } from '../evaluation-error.ts';
import type { TokenRequest } from '../requests/encode-request.ts';
import { cutAt } from '../scoring/cut-at.ts';
import { planBatches } from '../scoring/plan-batches.ts';
import type { TokenScorer, TokenScores } from '../scoring/token-scorer.ts';
import { scoreBatches } from './batch-pool.ts';

export interface PipelineScorerOptions {
  readonly api: Pick<PipelineCloud, 'runPipeline'>;
  /** Address of the server. */
  readonly url: string;
  /** What the server reports of its model. */
  readonly model: string;
  readonly pipelineId: string;
  /** Names of the adapters (LoRA) that change the model. */
  readonly adapters: readonly string[];
  readonly type: string | null;
  readonly engine: string | null;
  readonly contextLength: number;
  /** Runs at the same time. */
  readonly concurrency: number;
}

type Entry = NonNullable<GenerateDict['prompt_logprobs']>[number];

export function createPipelineScorer(options: PipelineScorerOptions): TokenScorer {
  const { api, url, model, pipelineId, adapters, type, engine, contextLength, concurrency } = options;
  const run = async (prompt: readonly TokenId[], parameters: object, signal: AbortSignal): Promise<GenerateDict> => {
    const lora = adapters.length === 0 ? {} : { lora: adapters.map((name) => ({ name })) };
    const data = [prompt, { ...parameters, ...lora, return_dict_in_generate: true as const }] as const;
    const ended = throwIfFailed(await api.runPipeline(pipelineId, data, { signal, cancelOnAbort: true }));
    const [result] = ended.resultPreview ?? [];
    if (result === undefined) {
      throw new EvaluationError('server_failed', `${url}: expected the result of run ${ended.id}, got none`);
    }
    return result;
  };
  return {
    identity: { adapter: 'gptj-cloud', model, weights: url, type, engine },
    maxTokens: contextLength,
    async score(requests, scoring) {
      // Requests that share a context follow each other, so that the server's prefix cache has it.
      const batches = planBatches(requests, { tokens: 0, requests: 1, sharesContexts: false });
      await scoreBatches(batches, { ...scoring, concurrency }, async ([index], signal) => {
        const { context, continuation } = requests[index!]!;
        const result = await run([...context, ...continuation], { max_new_tokens: 0, prompt_logprobs: 1 }, signal);
        return [{ index: index!, scores: readScores(requests[index!]!, result.prompt_logprobs ?? []) }];
      });
    },
    async nextTokens(context, count, signal) {
      const { logprobs } = await run(
        context,
        { max_new_tokens: 1, do_sample: false, logprobs: Math.min(count, 20) },
        signal,
      );
      const [first] = logprobs?.[0] ?? [];
      return (first?.top ?? []).flatMap(([token, logprob]) => (logprob === null ? [] : [{ token, logprob }]));
    },
    async generateUntil(context, { maxTokens, until }, signal) {
      const parameters = { max_new_tokens: maxTokens, do_sample: false, stop_strings: until };
      const { texts } = await run(context, parameters, signal);
      return cutAt(texts[0], until) ?? texts[0];
    },
  };
}

/** The entries describe the tokens of the prompt from the second on. */
function readScores({ context, continuation }: TokenRequest, entries: readonly Entry[]): TokenScores {
  const expected = context.length + continuation.length - 1;
  if (entries.length !== expected) {
    throw new EvaluationError('reply_invalid', `expected prompt_logprobs of ${expected} tokens, got ${entries.length}`);
  }
  const scores = continuation.map((token, at) => {
    const entry = entries[context.length - 1 + at]!;
    const [best] = entry.top;
    if (entry.token !== token || entry.logprob === null || best === undefined) {
      throw new EvaluationError(
        'reply_invalid',
        `expected the log-probability of token ${token}, got ${JSON.stringify(entry).slice(0, 200)}`,
      );
    }
    const [bestToken, bestLogprob] = best;
    return { logprob: entry.logprob, isGreedy: bestToken === token, isTop: entry.logprob >= (bestLogprob ?? 0) };
  });
  return {
    logprobs: scores.map(({ logprob }) => logprob),
    greedy: scores.map(({ isGreedy }) => isGreedy),
    top: scores.map(({ isTop }) => isTop),
  };
}
