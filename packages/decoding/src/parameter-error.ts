export type ParameterErrorCode =
  /** `generate` of the selected release has no parameter of this name. */
  | 'unknown_parameter'
  /** The value has a wrong type, is out of range, or conflicts with another parameter. */
  | 'invalid_parameter'
  /** transformers has the parameter; this server does not support it. */
  | 'unsupported_parameter'
  /** The value is valid, but larger than this server allows. */
  | 'limit_exceeded';

/** Invalid parameters of a request. The message states the expected and the actual value, and the remedy. */
export class ParameterError extends Error {
  override readonly name = 'ParameterError';
  readonly code: ParameterErrorCode;
  /** Wire names of the invalid parameters. */
  readonly parameters: readonly string[];

  constructor(code: ParameterErrorCode, parameters: readonly string[], message: string) {
    super(message);
    this.code = code;
    this.parameters = parameters;
  }
}
