import type { TokenReport } from '@gptj-cloud/decoding';
import type { TokenId } from '@gptj-cloud/model';
import { type Tokenizer, tokenText } from '@gptj-cloud/tokenizer';
import { createCharacterCounter } from '../../generation/character-counter.ts';
import type { ShownToken } from '../../generation/sequence-text.ts';

/** The `logprobs` object of a choice: four arrays of the same length, an EOS that ended the text included. */
export interface CompletionLogprobs {
  tokens: string[];
  /** Null for the first token of a prompt: no token precedes it. */
  token_logprobs: (number | null)[];
  /** Null with `logprobs: 0`. */
  top_logprobs: (Record<string, number> | null)[] | null;
  /** Characters of prompt and output before each token. */
  text_offset: number[];
}

/** The name of a token among log-probabilities. */
export type NameToken = (token: TokenId) => string;

/** The names that OpenAI gives tokens, or, for vLLM's `return_tokens_as_token_ids`, their ids. */
export function tokenNames(tokenizer: Tokenizer, asIds: boolean): NameToken {
  return asIds ? (token) => `token_id:${token}` : (token) => tokenText(tokenizer, token);
}

/** `topCount`: the request's `logprobs`. */
export function toCompletionLogprobs(
  name: NameToken,
  tokens: readonly ShownToken[],
  topCount: number,
): CompletionLogprobs {
  return {
    tokens: tokens.map(({ token }) => name(token)),
    token_logprobs: tokens.map(({ report }) => report?.logprob ?? null),
    top_logprobs: topCount === 0 ? null : tokens.map(({ report }) => report && topMap(name, report)),
    text_offset: tokens.map(({ offset }) => offset),
  };
}

/** A prompt's tokens in the form of generated ones. */
export function promptTokens(
  tokenizer: Tokenizer,
  ids: readonly TokenId[],
  reports: readonly TokenReport[] | undefined,
): readonly ShownToken[] {
  const counter = createCharacterCounter();
  return ids.map((token, at) => ({
    token,
    offset: counter.advance(tokenizer.tokenBytes(token)),
    report: at === 0 ? null : (reports?.[at - 1] ?? null),
  }));
}

export function joinLogprobs(first: CompletionLogprobs, second: CompletionLogprobs): CompletionLogprobs {
  return {
    tokens: [...first.tokens, ...second.tokens],
    token_logprobs: [...first.token_logprobs, ...second.token_logprobs],
    top_logprobs:
      first.top_logprobs === null || second.top_logprobs === null
        ? null
        : [...first.top_logprobs, ...second.top_logprobs],
    text_offset: [...first.text_offset, ...second.text_offset],
  };
}

/** The most likely tokens, and always the chosen one, so that it is greedy exactly when it equals the largest. */
function topMap(name: NameToken, report: TokenReport): Record<string, number> {
  const map: Record<string, number> = Object.create(null);
  for (const { token, logprob } of [...report.top, report]) map[name(token)] = logprob;
  return map;
}
