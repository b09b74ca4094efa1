import type { TokenId } from './token.ts';
import type { DecodeOptions, Tokenizer } from './tokenizer.ts';

/** Turns a stream of tokens into text as they come. For one stream; not shared. */
export interface Detokeniser {
  /**
   * Text that the token completes: possibly none, as a token may end inside a character. Throws `unknown_token`, and
   * the stream stands as before.
   */
  push(id: TokenId): string;
  /** The rest: U+FFFD when the stream ends inside a character, else nothing. Afterwards a new stream may begin. */
  end(): string;
}

/**
 * A detokeniser at the start of a stream. Everything it returns, joined, equals `tokenizer.decode` of all the ids with
 * the same options; no return value holds half a character.
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
