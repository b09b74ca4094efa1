/** What a server is, and what signing in needs there. */
import { connect, type Endpoint } from '../connection.ts';
import { ServerError } from '../errors.ts';
import { read } from '../exchange.ts';
import { booleanAt, dateAt, listOf, nullable, numberAt, oneOf, record, stringAt } from '../fields.ts';
import type { CallOptions } from '../options.ts';

/** A served model. */
export interface ServedModel {
  /** For `model` of a request. */
  readonly name: string;
  /** Of its pipeline, for runs. */
  readonly pipelineId: string;
  /** Maximum number of tokens of prompt and output together. */
  readonly context: number;
  /** `evicted`: another model needed its memory. It is loaded again when it is asked for, as one that is `unloaded`. */
  readonly state: 'loaded' | 'loading' | 'unloaded' | 'closing' | 'evicted' | 'failed';
  /** The share of the weights that is loaded, from 0 to 1; null unless it is loading. */
  readonly progress: number | null;
}

export interface ServerInfo {
  readonly name: string;
  readonly version: string;
  /** Name of the served model. */
  readonly model: string;
  /** Maximum number of tokens of prompt and output together. */
  readonly context: number;
  /** Every served model, first the one that requests without a name get. */
  readonly models: readonly ServedModel[];
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

type FieldsOf<Fields> = { readonly [Name in keyof Fields]: (value: unknown, field: string) => Fields[Name] };

/** Readers of the fields of a served model. */
export const SERVED_MODEL_FIELDS: FieldsOf<ServedModel> = {
  name: stringAt,
  pipelineId: stringAt,
  context: numberAt,
  state: oneOf('loaded', 'loading', 'unloaded', 'closing', 'evicted', 'failed'),
  progress: nullable(numberAt),
};

const parseServer = record<ServerInfo>({
  name: stringAt,
  version: stringAt,
  model: stringAt,
  context: numberAt,
  models: listOf(record<ServedModel>(SERVED_MODEL_FIELDS)),
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
