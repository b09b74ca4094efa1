import type { TokenId } from './token.ts';

/**
 * A token that is matched in the text itself, before byte-pair encoding: an entry of `added_tokens` in tokenizer.json.
 * The flags mean what they mean in the `tokenizers` library.
 */
export interface AddedToken {
  readonly id: TokenId;
  /** The text that becomes this token. Not empty, and well-formed Unicode. */
  readonly content: string;
  /** Decoding skips the token by default, and with `splitSpecialTokens` encoding does not match it. */
  readonly special: boolean;
  /** A match includes the white space before it. */
  readonly lstrip: boolean;
  /** A match includes the white space after it. */
  readonly rstrip: boolean;
  /** Matches only where no word character precedes or follows. */
  readonly singleWord: boolean;
  /**
   * Matched after the tokens whose flag is false, in the text between them. This project reads no tokenizer with a
   * normaliser, so the flag decides only which token matches where two overlap.
   */
  readonly normalized: boolean;
}

/** An added token with the library's default flags: special tokens are matched first, the others in the rest. */
export function plainAddedToken(id: TokenId, content: string, special: boolean): AddedToken {
  return { id, content, special, lstrip: false, rstrip: false, singleWord: false, normalized: !special };
}
