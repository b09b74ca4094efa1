export type TokenizerErrorCode =
  /** The file describes another kind of tokenizer than GPT-2 byte-level BPE. */
  | 'unsupported_tokenizer'
  /** The vocabulary is damaged or has gaps. */
  | 'invalid_vocabulary'
  /** The list of merges is damaged or does not fit the vocabulary. */
  | 'invalid_merges'
  /** A token id is not in the vocabulary. */
  | 'unknown_token'
  /** A text has more tokens than the caller allows. */
  | 'too_many_tokens'
  /** A run of characters of one kind is too long to find the tokens at its end. */
  | 'piece_too_long';

/** Thrown by tokenizers and their readers. The message states the expected and the actual value. */
export class TokenizerError extends Error {
  override readonly name = 'TokenizerError';
  readonly code: TokenizerErrorCode;

  constructor(code: TokenizerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
