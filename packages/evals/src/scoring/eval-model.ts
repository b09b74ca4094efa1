/** A model as an evaluation sees it: three methods over texts. Scores that the journal has are not computed again. */
import type { TokenId } from '@gptj-cloud/model';
import type { Tokenizer } from '@gptj-cloud/tokenizer';
import type { Journal } from '../journal/journal.ts';
import { generationKey, requestKey } from '../journal/request-key.ts';
import { encodeRequest, rollingWindows, type TokenRequest, truncateRequest } from '../requests/encode-request.ts';
import type { TextRequest } from '../requests/text-request.ts';
import type { TaskForm } from '../tasks/task.ts';
import type { ScorerIdentity, TokenScorer, TokenScores } from './token-scorer.ts';

export interface ModelCallOptions {
  readonly signal: AbortSignal;
  /** Requests of the call that have a result, those of the journal included. */
  readonly onProgress: (done: number, total: number) => void;
}

export interface GenerationRequest {
  readonly context: string;
  readonly until: readonly string[];
  readonly maxTokens: number;
}

export interface EvalModel {
  readonly identity: ScorerIdentity;
  readonly form: TaskForm;
  /** Scores of each continuation. */
  logLikelihood(requests: readonly TextRequest[], options: ModelCallOptions): Promise<readonly ScoredText[]>;
  /** Scores of every token of each text, the first one after the end-of-text token; long texts in windows. */
  rollingLogLikelihood(texts: readonly string[], options: ModelCallOptions): Promise<readonly ScoredText[]>;
  /** The greedy continuation of each context. */
  generateUntil(requests: readonly GenerationRequest[], options: ModelCallOptions): Promise<readonly string[]>;
}

export interface ScoredText {
  /** Tokens whose scores follow. */
  readonly tokens: readonly TokenId[];
  readonly scores: TokenScores;
}

export interface EvalModelOptions {
  readonly scorer: TokenScorer;
  readonly tokenizer: Tokenizer;
  readonly prefixToken: TokenId;
  readonly form: TaskForm;
  /** Null: every score is computed. */
  readonly journal: Journal | null;
}

export function createEvalModel(options: EvalModelOptions): EvalModel {
  const { scorer, tokenizer, prefixToken, form } = options;
  const { identity, maxTokens } = scorer;
  return {
    identity,
    form,
    async logLikelihood(requests, call) {
      const encoded = requests.map((request) =>
        truncateRequest(encodeRequest(request, form, { tokenizer, prefixToken }), maxTokens),
      );
      const scores = await scoreOnce(options, encoded, call);
      return encoded.map(({ continuation }, at) => ({ tokens: continuation, scores: scores[at]! }));
    },
    async rollingLogLikelihood(texts, call) {
      const windows = texts.map((text) =>
        rollingWindows(tokenizer.encode(text), { prefixToken, maxTokens: maxTokens - 1 }),
      );
      const scores = await scoreOnce(options, windows.flat(), call);
      let at = 0;
      return windows.map((ofText) => {
        const parts = scores.slice(at, at + ofText.length);
        at += ofText.length;
        return {
          tokens: ofText.flatMap(({ continuation }) => continuation),
          scores: {
            logprobs: parts.flatMap(({ logprobs }) => logprobs),
            greedy: parts.flatMap(({ greedy }) => greedy),
            top: parts.flatMap(({ top }) => top),
          },
        };
      });
    },
    async generateUntil(requests, call) {
      const texts: string[] = [];
      for (const [at, request] of requests.entries()) {
        call.onProgress(at, requests.length);
        texts.push(await generateOnce(options, request, call.signal));
      }
      call.onProgress(requests.length, requests.length);
      return texts;
    },
  };
}

/** Scores in the order of the requests. Equal requests, and those of the journal, are computed once. */
async function scoreOnce(
  { scorer, tokenizer, journal }: EvalModelOptions,
  requests: readonly TokenRequest[],
  { signal, onProgress }: ModelCallOptions,
): Promise<readonly TokenScores[]> {
  const keys = requests.map((request) => requestKey(scorer.identity, tokenizer, request));
  const known = new Map<string, TokenScores>();
  const uses = new Map<string, number>();
  const open: { readonly key: string; readonly request: TokenRequest }[] = [];
  keys.forEach((key, at) => {
    const used = uses.get(key) ?? 0;
    uses.set(key, used + 1);
    if (used > 0) return;
    const scores = journal?.scores(key);
    if (scores?.logprobs.length === requests[at]!.continuation.length) known.set(key, scores);
    else open.push({ key, request: requests[at]! });
  });
  let done = [...known.keys()].reduce((sum, key) => sum + uses.get(key)!, 0);
  onProgress(done, requests.length);
  await scorer.score(
    open.map(({ request }) => request),
    {
      signal,
      async onScored(scored) {
        for (const { index, scores } of scored) {
          const { key } = open[index]!;
          known.set(key, scores);
          done += uses.get(key)!;
        }
        await journal?.append(scored.map(({ index, scores }) => ({ key: open[index]!.key, scores })));
        onProgress(done, requests.length);
      },
    },
  );
  return keys.map((key) => known.get(key)!);
}

async function generateOnce(
  { scorer, tokenizer, prefixToken, journal, form }: EvalModelOptions,
  { context, until, maxTokens }: GenerationRequest,
  signal: AbortSignal,
): Promise<string> {
  const ids = form === 'published' || context === '' ? [prefixToken] : [];
  ids.push(...tokenizer.encode(context));
  // The continuation needs room.
  const tokens = ids.slice(-Math.max(1, scorer.maxTokens - 1 - maxTokens));
  const key = generationKey(scorer.identity, tokenizer, { context: tokens, until, maxTokens });
  const known = journal?.text(key);
  if (known !== undefined) return known;
  const text = await scorer.generateUntil(tokens, { maxTokens, until }, signal);
  await journal?.appendText(key, text);
  return text;
}
