/** What a server is, and what signing in needs there. */
import { connect, type Endpoint } from '../connection.ts';
import { ServerError } from '../errors.ts';
import { read } from '../exchange.ts';
import { booleanAt, dateAt, listOf, nullable, numberAt, oneOf, record, stringAt } from '../fields.ts';
import type { CallOptions } from '../options.ts';

export interface ServerInfo {
  readonly name: string;
  readonly version: string;
  /** Name of the served model. */
  readonly model: string;
  /** Maximum number of tokens of prompt and output together. */
  readonly context: number;
  readonly registration: 'open' | 'invited' | 'closed';
  /** Whether an account must confirm its address first. */
  readonly verifyRequired: boolean;
  /** Whether the server sends mail; without, its operator finds links in the log. */
  readonly mail: boolean;
  /** Names of the providers that sign in. */
  readonly providers: readonly string[];
  /** Whether the owner's account waits for the link that the first start printed. */
  readonly setUpNeeded: boolean;
  /** New runs are refused for a time, with this sentence of the operator; null: they are accepted. */
  readonly maintenance: { readonly message: string; readonly since: Date } | null;
}

export interface ServerReports {
  /** Public. */
  get(options?: CallOptions): Promise<ServerInfo>;
  /**
   * Whether the server takes runs now: false while it starts, ends or has no engine. Public, and never retried. Throws
   * `ConnectionFailedError` when there is no server.
   */
  isReady(options?: CallOptions): Promise<boolean>;
}

const parseServer = record<ServerInfo>({
  name: stringAt,
  version: stringAt,
  model: stringAt,
  context: numberAt,
  registration: oneOf('open', 'invited', 'closed'),
  verifyRequired: booleanAt,
  mail: booleanAt,
  providers: listOf(stringAt),
  setUpNeeded: booleanAt,
  maintenance: nullable(record<NonNullable<ServerInfo['maintenance']>>({ message: stringAt, since: dateAt })),
});

export function createServerReports(endpoint: Endpoint): ServerReports {
  return {
    get: async (options) => await read(endpoint, '/v2/server', parseServer, options),
    async isReady({ signal } = {}) {
      try {
        (await connect(endpoint, { method: 'GET', path: '/readyz', signal })).close();
        return true;
      } catch (error) {
        if (error instanceof ServerError && error.status === 503) return false;
        throw error;
      }
    },
  };
}
