import type { ServerConfig } from '../config/parse-config.ts';
import { ConfigError } from '../config-error.ts';

const WORKER_WITHOUT_ENGINE =
  'GPTJ_ENGINE: expected an engine for a worker, which computes; none is for gptj serve beside workers';
const API_WITHOUT_DATABASE =
  'DATABASE_URL: expected the PostgreSQL of the workers that compute for a server without an engine (GPTJ_ENGINE=none, --no-engine), got none; the embedded store is of one process';
const WORKER_WITHOUT_DATABASE =
  'DATABASE_URL: expected the PostgreSQL of the servers whose runs the worker executes, got none; without one, gptj serve executes its runs itself';

/** Throws `ConfigError` for parts that cannot work together. */
export function checkParts(
  role: 'server' | 'worker',
  { databaseUrl, hasEngine }: Pick<ServerConfig, 'databaseUrl' | 'hasEngine'>,
): void {
  if (role === 'worker' && !hasEngine) throw new ConfigError(WORKER_WITHOUT_ENGINE);
  if (databaseUrl !== null) return;
  if (role === 'worker') throw new ConfigError(WORKER_WITHOUT_DATABASE);
  if (!hasEngine) throw new ConfigError(API_WITHOUT_DATABASE);
}
