export type DecodingErrorCode =
  /** The parameters forbid every token, or leave fewer than the beams need. */
  | 'no_possible_token'
  /** The parameters need more work or memory than one generation may take. */
  | 'decoding_too_costly'
  /** The configuration needs something that the caller did not pass, for example a tokenizer. */
  | 'missing_dependency';

/** A generation fails. The message states the reason and the parameters to change. */
export class DecodingError extends Error {
  override readonly name = 'DecodingError';
  readonly code: DecodingErrorCode;

  constructor(code: DecodingErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
