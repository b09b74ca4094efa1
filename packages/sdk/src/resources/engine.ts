/** The served model and the load of its engine. */
import type { Endpoint } from '../connection.ts';
import { read } from '../exchange.ts';
import { dateAt, listOf, nullable, numberAt, oneOf, record, stringAt } from '../fields.ts';
import type { CallOptions } from '../options.ts';
import { SERVED_MODEL_FIELDS, type ServedModel } from './server.ts';

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

/** A served model and its place in memory. */
export interface HostedModel extends ServedModel {
  readonly quantisation: string;
  /** When the state began; null where the server has one model, as the figures below. */
  readonly since: Date | null;
  /** Why it could not be loaded. */
  readonly reason: string | null;
  /** Memory that it takes while it is loaded, as planned. */
  readonly plannedBytes: number | null;
  /** Generations that use it. */
  readonly running: number | null;
  /** Generations that wait until it is loaded. */
  readonly waiting: number | null;
}

/** The engine of the server that replies; figures that are null are not known while it does not answer. */
export interface EngineStatus {
  /** Of the pipeline of the model. */
  readonly pipelineId: string;
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
  /** Every served model, first the one that requests without a name get. */
  readonly models: readonly HostedModel[];
}

export interface EngineOptions extends CallOptions {
  /** Name of a served model. Default: the one that requests without a name get. */
  readonly model?: string;
}

export interface EngineReports {
  /** Needs the scope `read`. */
  get(options?: EngineOptions): Promise<EngineStatus>;
}

const known = nullable(numberAt);

/** The reply of `GET /v2/engine`. */
export const parseEngine: (reply: unknown, field?: string) => EngineStatus = record<EngineStatus>({
  pipelineId: stringAt,
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
  models: listOf(
    record<HostedModel>({
      ...SERVED_MODEL_FIELDS,
      quantisation: stringAt,
      since: nullable(dateAt),
      reason: nullable(stringAt),
      plannedBytes: known,
      running: known,
      waiting: known,
    }),
  ),
});

export function createEngineReports(endpoint: Endpoint): EngineReports {
  return {
    async get({ model, ...options } = {}) {
      const path = model === undefined ? '/v2/engine' : `/v2/engine?model=${encodeURIComponent(model)}`;
      return await read(endpoint, path, parseEngine, options);
    },
  };
}
