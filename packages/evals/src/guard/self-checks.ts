/**
 * Checks that log-probabilities of a model or a server are what they claim to be, before any score is printed. Harnesses
 * that trust a server have reported chance where it shifted the list by one, named another token, or left out all tokens but
 * the most likely one.
 */
import type { TokenId } from '@gptj-cloud/model';
import type { Tokenizer } from '@gptj-cloud/tokenizer';
import { EvaluationError } from '../evaluation-error.ts';
import type { TokenRequest } from '../requests/encode-request.ts';
import { type LikelyToken, scoreAll, type TokenScorer } from '../scoring/token-scorer.ts';

export type SelfCheck = 'finite' | 'chain_rule' | 'next_token' | 'probabilities' | 'batches' | 'shuffled';

/** What each check expects, for messages and docs. */
export const SELF_CHECKS: Readonly<Record<SelfCheck, string>> = {
  finite: 'every token of a text has a finite log-probability of at most 0, and not all have the same',
  chain_rule: 'the parts of a text have the same log-probabilities as the whole',
  next_token: 'a token scored as a continuation has the log-probability that it has as a prediction',
  probabilities:
    'the probabilities of predictions are below 1, add up to at most 1, and bound those of all other tokens',
  batches: 'requests have the same log-probabilities alone and together',
  shuffled: 'English text is more likely than the same words in another order',
};

const NAMES: readonly SelfCheck[] = ['finite', 'chain_rule', 'next_token', 'probabilities', 'batches', 'shuffled'];

export interface SelfCheckOptions {
  readonly scorer: TokenScorer;
  readonly tokenizer: Tokenizer;
  readonly prefixToken: TokenId;
  /** Checks to leave out: `shuffled` fails for a model that is not trained. */
  readonly skip: ReadonlySet<SelfCheck>;
  readonly signal: AbortSignal;
}

/** English whose tokens every check scores. */
export const CHECK_TEXT =
  'Once upon a time there was a little girl who lived with her mother in a small house near the forest. Every morning she went to the well to bring water, and in the evening they sat by the fire.';
/** Nats by which 16-bit arithmetic may differ between batches, for each token. */
export const CHECK_TOLERANCE = 0.05;
/** Named tokens of a prediction. */
const NAMED = 5;

/** The names of the checks that passed. Throws `check_failed` with the name of the first that did not. */
export async function runSelfChecks(options: SelfCheckOptions): Promise<readonly SelfCheck[]> {
  const passed: SelfCheck[] = [];
  for (const name of NAMES) {
    if (options.skip.has(name)) continue;
    const finding = await CHECKS[name](options).catch((error: unknown) => {
      if (error instanceof EvaluationError && error.code === 'reply_invalid') return error.message;
      throw error;
    });
    if (finding !== null) {
      throw new EvaluationError(
        'check_failed',
        `self-check ${name} failed: expected that ${SELF_CHECKS[name]}; ${finding}. No score is printed, as none would mean anything`,
      );
    }
    passed.push(name);
  }
  return passed;
}

type Check = (options: SelfCheckOptions) => Promise<string | null>;

const CHECKS: Readonly<Record<SelfCheck, Check>> = {
  async finite(options) {
    const [whole] = await score(options, [textRequest(options)]);
    const odd = whole!.find((logprob) => !(Number.isFinite(logprob) && logprob <= 1e-6));
    if (odd !== undefined) return `got ${odd}`;
    return new Set(whole).size < whole!.length / 2 ? `got ${new Set(whole).size} different values` : null;
  },

  async chain_rule(options) {
    const whole = textRequest(options);
    const half = Math.floor(whole.continuation.length / 2);
    const first = { context: whole.context, continuation: whole.continuation.slice(0, half) };
    const second = {
      context: [...whole.context, ...first.continuation],
      continuation: whole.continuation.slice(half),
    };
    const [all, start, end] = await score(options, [whole, first, second]);
    return largestDifference(all!, [...start!, ...end!]);
  },

  async next_token(options) {
    const predictions = await predict(options);
    if (predictions.length === 0) return 'got no predictions with log-probabilities';
    const requests = predictions.flatMap(({ context, named }) =>
      named.map(({ token }) => ({ context, continuation: [token] })),
    );
    const scored = (await score(options, requests)).flat();
    return largestDifference(
      predictions.flatMap(({ named }) => named.map(({ logprob }) => logprob)),
      scored,
    );
  },

  async probabilities(options) {
    const predictions = await predict(options);
    for (const { context, named } of predictions) {
      const sum = named.reduce((total, { logprob }) => total + Math.exp(logprob), 0);
      if (sum > 1 + 1e-3) return `got a sum of ${sum}`;
      const known = new Set(named.map(({ token }) => token));
      const others = otherTokens(options, known);
      const scored = await score(
        options,
        others.map((token) => ({ context, continuation: [token] })),
      );
      const best = named[0]!.logprob;
      const high = scored.flat().find((logprob) => !(logprob < best + CHECK_TOLERANCE && Number.isFinite(logprob)));
      if (high !== undefined) return `got ${high} for a token that is less likely than ${best}`;
      if (new Set(scored.flat()).size < 2) return 'got the same log-probability for all tokens that are not predicted';
    }
    const isCertain = predictions.every(({ named }) => named[0]!.logprob > -1e-6);
    return isCertain ? 'got 1 for every prediction' : null;
  },

  async batches(options) {
    const { context, continuation } = textRequest(options);
    const requests = [1, 2, 3, 4, 5].map((part) => ({
      context: [...context, ...continuation.slice(0, part * 3)],
      continuation: continuation.slice(part * 3, part * 6),
    }));
    const together = await score(options, requests);
    const alone: number[] = [];
    for (const request of requests) alone.push(...(await score(options, [request])).flat());
    return largestDifference(together.flat(), alone);
  },

  async shuffled(options) {
    const words = CHECK_TEXT.split(' ');
    // A fixed order without neighbours: every seventh word.
    const other = words.map((_, at) => words[(at * 7) % words.length]!).join(' ');
    const [text, shuffled] = await score(options, [textRequest(options), textRequest(options, other)]);
    const [a, b] = [average(text!), average(shuffled!)];
    return a > b ? null : `got ${a.toFixed(3)} for the text and ${b.toFixed(3)} for the other order, nats a token`;
  },
};

function textRequest({ tokenizer, prefixToken }: SelfCheckOptions, text: string = CHECK_TEXT): TokenRequest {
  return { context: [prefixToken], continuation: tokenizer.encode(text) };
}

async function score(
  { scorer, signal }: SelfCheckOptions,
  requests: readonly TokenRequest[],
): Promise<readonly (readonly number[])[]> {
  return (await scoreAll(scorer, requests, signal)).map(({ logprobs }) => logprobs);
}

interface Prediction {
  readonly context: readonly TokenId[];
  /** Best first, at least one. */
  readonly named: readonly LikelyToken[];
}

/** What the model predicts at three places of the text. */
async function predict(options: SelfCheckOptions): Promise<readonly Prediction[]> {
  const { context, continuation } = textRequest(options);
  const predictions: Prediction[] = [];
  for (const length of [6, 17, 30]) {
    const place = [...context, ...continuation.slice(0, length)];
    const named = await options.scorer.nextTokens(place, NAMED, options.signal);
    if (named.length > 0) predictions.push({ context: place, named });
  }
  return predictions;
}

/** Words of the text that are not predicted, as single tokens. */
function otherTokens({ tokenizer }: SelfCheckOptions, known: ReadonlySet<TokenId>): readonly TokenId[] {
  const ids = [...new Set(tokenizer.encode(CHECK_TEXT))].filter((token) => !known.has(token));
  return ids.slice(0, 8);
}

function largestDifference(expected: readonly number[], got: readonly number[]): string | null {
  for (const [at, value] of expected.entries()) {
    const other = got[at] ?? Number.NaN;
    if (!(Math.abs(value - other) <= CHECK_TOLERANCE))
      return `got ${other} instead of ${value} at ${at + 1} of ${expected.length}`;
  }
  return null;
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
