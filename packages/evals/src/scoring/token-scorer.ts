/**
 * The interface between evaluations and models: an engine in this process, a gptj-cloud server, or any server with the
 * completions of OpenAI. One contract suite tests every implementation.
 */
import type { TokenId } from '@gptj-cloud/model';
import type { TokenRequest } from '../requests/encode-request.ts';

/** Of each token of a continuation. */
export interface TokenScores {
  /** Natural logarithms of the probabilities. */
  readonly logprobs: readonly number[];
  /** Whether greedy decoding takes the token: the most likely one, of equal ones that with the lowest id. */
  readonly greedy: readonly boolean[];
  /** Whether no token is more likely. */
  readonly top: readonly boolean[];
}

/** `index` counts the requests of the call. */
export interface ScoredRequest {
  readonly index: number;
  readonly scores: TokenScores;
}

export interface LikelyToken {
  readonly token: TokenId;
  readonly logprob: number;
}

/** What computed the scores, for reports and for the keys of the journal. */
export interface ScorerIdentity {
  readonly adapter: 'engine' | 'gptj-cloud' | 'completions';
  readonly model: string;
  /** sha256 of the weights; of a server, its address and model: what it has loaded is not known. */
  readonly weights: string;
  /** Storage type of the weights, and the engine; null where a server does not report it. */
  readonly type: string | null;
  readonly engine: string | null;
}

export interface ScoreOptions {
  readonly signal: AbortSignal;
  /** Called for each finished batch, for one at a time. */
  readonly onScored: (scored: readonly ScoredRequest[]) => Promise<void>;
}

/** Tokens that a model of this process has read. */
export interface ScoringWork {
  /** Of all requests, each by itself. */
  readonly requested: number;
  /** With shared prefixes once. */
  readonly read: number;
}

export interface TokenScorer {
  readonly identity: ScorerIdentity;
  /** What was read so far; a server does not report it. */
  readonly work?: ScoringWork;
  /** Maximum number of tokens of context and continuation together. */
  readonly maxTokens: number;
  /**
   * Score requests, in any order and batching. Throws when the signal aborts, and the errors of the model or the server.
   */
  score(requests: readonly TokenRequest[], options: ScoreOptions): Promise<void>;
  /** The most likely next tokens, best first: up to `count`, fewer where a server does not name them all. */
  nextTokens(context: readonly TokenId[], count: number, signal: AbortSignal): Promise<readonly LikelyToken[]>;
  /** The greedy continuation, up to and without the first of the texts `until`. */
  generateUntil(
    context: readonly TokenId[],
    options: { readonly maxTokens: number; readonly until: readonly string[] },
    signal: AbortSignal,
  ): Promise<string>;
}

/** Scores of one call, in the order of its requests. */
export async function scoreAll(
  scorer: Pick<TokenScorer, 'score'>,
  requests: readonly TokenRequest[],
  signal: AbortSignal,
): Promise<readonly TokenScores[]> {
  const all: TokenScores[] = [];
  await scorer.score(requests, {
    signal,
    onScored: async (scored) => {
      for (const { index, scores } of scored) all[index] = scores;
    },
  });
  return all;
}
