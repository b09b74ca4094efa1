/**
 * - `unknown_parameter`: no such name (in this era)
 * - `invalid_parameter`: wrong type, out of range, or in conflict with another parameter
 * - `unsupported_parameter`: transformers has it, this server does not
 * - `limit_exceeded`: sound, but more than the server allows
 */
export type ParameterErrorCode = 'unknown_parameter' | 'invalid_parameter' | 'unsupported_parameter' | 'limit_exceeded';

/** A request's parameters are refused. The message says what was expected, what came, and what to do. */
export class ParameterError extends Error {
  override readonly name = 'ParameterError';
  readonly code: ParameterErrorCode;
  /** Wire names of the parameters at fault. */
  readonly parameters: readonly string[];

  constructor(code: ParameterErrorCode, parameters: readonly string[], message: string) {
    super(message);
    this.code = code;
    this.parameters = parameters;
  }
}
