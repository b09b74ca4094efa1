/** Text to token ids and back, as the model reads prompts. */
import type { Endpoint } from '../connection.ts';
import { exchange } from '../exchange.ts';
import { arrayAt, numberAt, objectAt, stringAt } from '../fields.ts';
import type { CallOptions } from '../options.ts';

/** The tokens of a text: three lists of one length. */
export interface TokenizedText {
  readonly tokens: readonly number[];
  /** The text of each token; `bytes:\xe2\x80` for one that is part of a character. */
  readonly texts: readonly string[];
  /** Characters (code points) before the one that each token begins or continues. */
  readonly offsets: readonly number[];
}

/** The text of tokens, and that of each of them. */
export interface DetokenizedText {
  readonly text: string;
  readonly texts: readonly string[];
}

export interface TokenizeOptions extends CallOptions {
  /** Name of a served model. Default: the one that requests without a name get. */
  readonly model?: string;
  /** Read special tokens in the text as plain text. Default false. */
  readonly splitSpecialTokens?: boolean;
}

export interface DetokenizeOptions extends CallOptions {
  /** Name of a served model. Default: the one that requests without a name get. */
  readonly model?: string;
  /** Leave special tokens out of the text. Default false. */
  readonly skipSpecialTokens?: boolean;
}

/** Neither call costs tokens. */
export interface TextTokens {
  /** The token ids of a text, as the model reads it in a prompt: at most 65,536. */
  tokenize(text: string, options?: TokenizeOptions): Promise<TokenizedText>;
  detokenize(tokens: readonly number[], options?: DetokenizeOptions): Promise<DetokenizedText>;
}

export function createTextTokens(endpoint: Endpoint): TextTokens {
  return {
    async tokenize(text, { splitSpecialTokens, model, signal } = {}) {
      const body = {
        text,
        ...(splitSpecialTokens === undefined ? {} : { split_special_tokens: splitSpecialTokens }),
        ...(model === undefined ? {} : { model }),
      };
      const reply = objectAt(
        await exchange(endpoint, { method: 'POST', path: '/v2/tokenize', body, signal, isIdempotent: true }),
        'the tokens of a text',
      );
      return {
        tokens: arrayAt(reply.tokens, 'tokens').map((id) => numberAt(id, 'tokens')),
        texts: textsAt(reply.texts),
        offsets: arrayAt(reply.offsets, 'offsets').map((offset) => numberAt(offset, 'offsets')),
      };
    },
    async detokenize(tokens, { skipSpecialTokens, model, signal } = {}) {
      const body = {
        tokens,
        ...(skipSpecialTokens === undefined ? {} : { skip_special_tokens: skipSpecialTokens }),
        ...(model === undefined ? {} : { model }),
      };
      const reply = objectAt(
        await exchange(endpoint, { method: 'POST', path: '/v2/detokenize', body, signal, isIdempotent: true }),
        'the text of tokens',
      );
      return { text: stringAt(reply.text, 'text'), texts: textsAt(reply.texts) };
    },
  };
}

function textsAt(value: unknown): readonly string[] {
  return arrayAt(value, 'texts').map((text) => stringAt(text, 'texts'));
}
