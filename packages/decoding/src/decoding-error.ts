/**
 * - `no_possible_token`: the parameters leave no token, or too few for the beams
 * - `pattern_too_complex`: a regular expression took more memory than it may
 * - `missing_dependency`: the configuration needs something the caller did not give
 */
export type DecodingErrorCode = 'no_possible_token' | 'pattern_too_complex' | 'missing_dependency';

/** A generation cannot go on. The message says what happened and which parameters to change. */
export class DecodingError extends Error {
  override readonly name = 'DecodingError';
  readonly code: DecodingErrorCode;

  constructor(code: DecodingErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
