export type ParameterErrorCode =
  /** `generate` of the selected release has no parameter of this name. */
  | 'unknown_parameter'
  /** The value has a wrong type, is out of range, or conflicts with another parameter. */
  | 'invalid_parameter'
  /** transformers has the parameter, this server does not. */
  | 'unsupported_parameter'
  /** The value is valid, but larger than this server allows. */
  | 'limit_exceeded';

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
