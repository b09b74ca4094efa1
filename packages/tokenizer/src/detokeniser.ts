import type { TokenId } from './token.ts';
import type { DecodeOptions, Tokenizer } from './tokenizer.ts';

/** Incremental detokeniser: decodes a stream of tokens to text. Holds the state of one stream; do not share it. */
export interface Detokeniser {
  /**
   * Text that this token completes: empty if the token ends inside a character. Throws `unknown_token` and leaves the
   * state unchanged.
   */
  push(id: TokenId): string;
  /** Flush: U+FFFD when the stream ends inside a character, else the empty string. Resets the state for a new stream. */
  end(): string;
}

/**
 * A detokeniser at the start of a stream. Everything it returns, joined, equals `tokenizer.decode` of all the ids with
 * the same options; no return value has part of a character.
 */
export function createDetokeniser(tokenizer: Tokenizer, options?: DecodeOptions): Detokeniser {
  const skipSpecial = options?.skipSpecial ?? true;
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  return {
    push(id) {
      const bytes = tokenizer.tokenBytes(id);
      if (skipSpecial && tokenizer.isSpecial(id)) return '';
      return utf8.decode(bytes, { stream: true });
    },
    end() {
      return utf8.decode();
    },
  };
}
