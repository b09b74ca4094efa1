/**
 * Scores requests with any server that has OpenAI's `POST /v1/completions` with `echo` and `logprobs`. The bodies are those that
 * lm-evaluation-harness's `local-completions` posts.
 */
import type { TokenId } from '@gptj-cloud/model';
import type { Tokenizer } from '@gptj-cloud/tokenizer';
import { cutAt } from '../scoring/cut-at.ts';
import { planBatches } from '../scoring/plan-batches.ts';
import type { LikelyToken, TokenScorer } from '../scoring/token-scorer.ts';
import { scoreBatches } from './batch-pool.ts';
import { readChoices, readScores } from './completions-reply.ts';
import { type PostOptions, postJson } from './post-json.ts';

export interface CompletionsScorerOptions {
  /** Address of the endpoint: `http://127.0.0.1:8000/v1/completions`. */
  readonly url: string;
  readonly token: string | null;
  readonly model: string;
  readonly tokenizer: Tokenizer;
  readonly contextLength: number;
  /** Prompts of one request, at most. */
  readonly batchSize: number;
  /** Requests at the same time. */
  readonly concurrency: number;
}

const MAX_BATCH_TOKENS = 16_384;
/** OpenAI's limit of `logprobs`. */
const MAX_NAMED = 5;

export function createCompletionsScorer(options: CompletionsScorerOptions): TokenScorer {
  const { url, token, model, tokenizer, contextLength, batchSize, concurrency } = options;
  const post = (body: object, signal: AbortSignal): Promise<unknown> =>
    postJson({ model, ...body }, { url, token, signal } satisfies PostOptions);
  return {
    identity: { adapter: 'completions', model, weights: url, type: null, engine: null },
    // The server generates one token after the prompt.
    maxTokens: contextLength - 1,
    async score(requests, scoring) {
      const batches = planBatches(requests, { tokens: MAX_BATCH_TOKENS, requests: batchSize, sharesContexts: false });
      await scoreBatches(batches, { ...scoring, concurrency }, async (batch, signal) => {
        const prompt = batch.map((index) => [...requests[index]!.context, ...requests[index]!.continuation]);
        const body = { prompt, temperature: 0, max_tokens: 1, logprobs: 1, seed: 1234, echo: true };
        const choices = readChoices(await post(body, signal), batch.length);
        return batch.map((index, at) => {
          const start = requests[index]!.context.length;
          return { index, scores: readScores(choices[at]!, { start, end: prompt[at]!.length }) };
        });
      });
    },
    async nextTokens(context, count, signal) {
      const body = {
        prompt: [context],
        temperature: 0,
        max_tokens: 1,
        logprobs: Math.min(count, MAX_NAMED),
        seed: 1234,
      };
      const [choice] = readChoices(await post(body, signal), 1);
      const [named] = choice!.topLogprobs;
      return named === undefined || named === null ? [] : toLikelyTokens(named, tokenizer);
    },
    async generateUntil(context, { maxTokens, until }, signal) {
      const body = { prompt: [context], temperature: 0, max_tokens: maxTokens, stop: until, seed: 1234 };
      const [choice] = readChoices(await post(body, signal), 1);
      return cutAt(choice!.text, until) ?? choice!.text;
    },
  };
}

/** The tokens whose text stands for one token alone; others, such as parts of a character, are left out. */
function toLikelyTokens(named: ReadonlyMap<string, number>, tokenizer: Tokenizer): readonly LikelyToken[] {
  return [...named]
    .flatMap(([text, logprob]) => {
      const ids: readonly TokenId[] = tokenizer.encode(text);
      return ids.length === 1 ? [{ token: ids[0]!, logprob }] : [];
    })
    .sort((a, b) => b.logprob - a.logprob);
}
