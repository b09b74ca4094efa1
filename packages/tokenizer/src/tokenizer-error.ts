export type TokenizerErrorCode =
  | 'unsupported_tokenizer'
  | 'invalid_vocabulary'
  | 'invalid_merges'
  | 'unknown_token'
  | 'too_many_tokens';

/** Anything a tokenizer refuses. The code says which situation; the message says what was expected and what came. */
export class TokenizerError extends Error {
  override readonly name = 'TokenizerError';
  readonly code: TokenizerErrorCode;

  constructor(code: TokenizerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
