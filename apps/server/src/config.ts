import { resolve } from 'node:path';

/** Everything that can be set, parsed. */
export interface ServerConfig {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly dataDir: string;
  /** GGUF file; null: the embedded model. */
  readonly modelPath: string | null;
  /** Null: made on the first start and shown once. */
  readonly apiToken: string | null;
  readonly maxUploadBytes: number;
  readonly maxJsonBytes: number;
  readonly maxRunningRuns: number;
  readonly maxWaitingRuns: number;
  /** How long a stopping server waits for runs in flight. */
  readonly drainTimeoutMs: number;
}

export type ServerOptions = Partial<ServerConfig>;

/** The environment or an option cannot be used. The message names it, what was expected and what came. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'invalid_config';
}

/** Settings from options, then the environment, then defaults. An empty variable counts as unset. Throws `ConfigError`. */
export function parseConfig(
  environment: Readonly<Record<string, string | undefined>>,
  options: ServerOptions = {},
): ServerConfig {
  const text = (name: string): string | null => {
    const value = environment[name]?.trim() ?? '';
    return value === '' ? null : value;
  };
  const integer = (name: string, option: number | undefined, fallback: number, least: number, most: number): number => {
    const given = option ?? text(name);
    if (given === null) return fallback;
    const value = typeof given === 'number' ? given : /^\d{1,12}$/.test(given) ? Number(given) : Number.NaN;
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new ConfigError(`${name}: expected an integer from ${least} to ${most}, got ${JSON.stringify(given)}`);
    }
    return value;
  };
  const modelPath = options.modelPath ?? text('GPTJ_MODEL');
  const drainSeconds = integer('DRAIN_TIMEOUT_SECONDS', undefined, 30, 0, 3600);
  return {
    host: options.host ?? text('HOST') ?? '127.0.0.1',
    port: integer('PORT', options.port, 8080, 0, 65535),
    dataDir: resolve(options.dataDir ?? text('DATA_DIR') ?? 'data'),
    modelPath: modelPath === null ? null : resolve(modelPath),
    apiToken: parseToken(options.apiToken ?? text('GPTJ_API_TOKEN')),
    maxUploadBytes: integer('MAX_UPLOAD_BYTES', options.maxUploadBytes, 20 * 2 ** 20, 1024, 2 ** 30),
    maxJsonBytes: integer('MAX_JSON_BYTES', options.maxJsonBytes, 4 * 2 ** 20, 1024, 2 ** 28),
    maxRunningRuns: integer('MAX_RUNNING_RUNS', options.maxRunningRuns, 8, 1, 1024),
    maxWaitingRuns: integer('MAX_WAITING_RUNS', options.maxWaitingRuns, 64, 0, 100_000),
    drainTimeoutMs: options.drainTimeoutMs ?? drainSeconds * 1000,
  };
}

function parseToken(token: string | null): string | null {
  if (token === null) return null;
  // The token itself stays out of the message: it may be a typing error away from the real one.
  if (!/^[\x21-\x7e]{8,512}$/.test(token)) {
    throw new ConfigError(
      'GPTJ_API_TOKEN: expected 8 to 512 printable ASCII characters without blanks, got something else',
    );
  }
  return token;
}
