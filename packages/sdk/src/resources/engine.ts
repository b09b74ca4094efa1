/** The served model and the load of its engine. */
import type { Endpoint } from '../connection.ts';
import { read } from '../exchange.ts';
import { dateAt, listOf, nullable, numberAt, oneOf, record, stringAt } from '../fields.ts';
import type { CallOptions } from '../options.ts';

/** An interval of the history. Null: the engine did not answer. */
export interface EngineSample {
  /** Its end. */
  readonly at: Date;
  readonly tokensPerSecond: number;
  /** Part of the time that the engine computed, from 0 to 1. */
  readonly busy: number | null;
  readonly active: number | null;
  readonly waiting: number | null;
}

/** The engine of the server that replies; figures that are null are not known while it does not answer. */
export interface EngineStatus {
  readonly model: {
    readonly name: string;
    /** Architecture. */
    readonly type: string;
    readonly quantisation: string;
    readonly layers: number;
    /** Maximum number of tokens of prompt and output together. */
    readonly context: number;
    readonly vocabulary: number;
    readonly loadedInMs: number;
  };
  readonly state: 'ready' | 'unavailable';
  readonly since: Date;
  /** Why the engine is unavailable. */
  readonly reason: string | null;
  /** Resident memory of the engine's process. */
  readonly memoryBytes: number | null;
  /** Positions of the KV cache. */
  readonly cells: { readonly total: number; readonly used: number | null };
  /** Generations that are computed. */
  readonly active: number | null;
  /** Generations that wait for space in the KV cache. */
  readonly waiting: number | null;
  readonly oldestWaitingMs: number | null;
  /** Final tokens of all generations, in the latest interval of the history. */
  readonly tokensPerSecond: number;
  /** The last minutes, oldest first. */
  readonly history: { readonly intervalSeconds: number; readonly samples: readonly EngineSample[] };
}

export interface EngineReports {
  /** Needs the scope `read`. */
  get(options?: CallOptions): Promise<EngineStatus>;
}

const known = nullable(numberAt);

/** The reply of `GET /v2/engine`. */
export const parseEngine: (reply: unknown, field?: string) => EngineStatus = record<EngineStatus>({
  model: record<EngineStatus['model']>({
    name: stringAt,
    type: stringAt,
    quantisation: stringAt,
    layers: numberAt,
    context: numberAt,
    vocabulary: numberAt,
    loadedInMs: numberAt,
  }),
  state: oneOf('ready', 'unavailable'),
  since: dateAt,
  reason: nullable(stringAt),
  memoryBytes: known,
  cells: record<EngineStatus['cells']>({ total: numberAt, used: known }),
  active: known,
  waiting: known,
  oldestWaitingMs: known,
  tokensPerSecond: numberAt,
  history: record<EngineStatus['history']>({
    intervalSeconds: numberAt,
    samples: listOf(
      record<EngineSample>({ at: dateAt, tokensPerSecond: numberAt, busy: known, active: known, waiting: known }),
    ),
  }),
});

export function createEngineReports(endpoint: Endpoint): EngineReports {
  return {
    get: async (options) => await read(endpoint, '/v2/engine', parseEngine, options),
  };
}
