/** What a server is, and what signing in needs there. */
import type { Endpoint } from '../connection.ts';
import { read } from '../exchange.ts';
import { booleanAt, listOf, numberAt, oneOf, record, stringAt } from '../fields.ts';
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
}

export interface ServerReports {
  /** Public. */
  get(options?: CallOptions): Promise<ServerInfo>;
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
});

export function createServerReports(endpoint: Endpoint): ServerReports {
  return { get: async (options) => await read(endpoint, '/v2/server', parseServer, options) };
}
