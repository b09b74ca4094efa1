/** The environment or an option cannot be used: the message names it, what was expected and what came. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'invalid_config';
}
