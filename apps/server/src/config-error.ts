/** The environment or an option cannot be used: the message names it, the expected and the actual value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'invalid_config';
}
