/** The served model and the load of its engine. */
import type { Endpoint } from '../connection.ts';
import { exchange } from '../exchange.ts';
import { arrayAt, dateAt, literalAt, numberAt, objectAt, orNull, stringAt } from '../fields.ts';
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

const STATES: Readonly<Record<EngineStatus['state'], true>> = { ready: true, unavailable: true };

export function createEngineReports(endpoint: Endpoint): EngineReports {
  return {
    async get({ signal } = {}) {
      return parseEngine(await exchange(endpoint, { method: 'GET', path: '/v2/engine', signal }));
    },
  };
}

/** The reply of `GET /v2/engine`. */
export function parseEngine(reply: unknown): EngineStatus {
  const raw = objectAt(reply, 'an engine');
  const model = objectAt(raw.model, 'model');
  const cells = objectAt(raw.cells, 'cells');
  const history = objectAt(raw.history, 'history');
  const countAt = (value: unknown, field: string) => orNull(value, (present) => numberAt(present, field));
  return {
    model: {
      name: stringAt(model.name, 'model.name'),
      type: stringAt(model.type, 'model.type'),
      quantisation: stringAt(model.quantisation, 'model.quantisation'),
      layers: numberAt(model.layers, 'model.layers'),
      context: numberAt(model.context, 'model.context'),
      vocabulary: numberAt(model.vocabulary, 'model.vocabulary'),
      loadedInMs: numberAt(model.loaded_in_ms, 'model.loaded_in_ms'),
    },
    state: literalAt(STATES, raw.state, 'state'),
    since: dateAt(raw.since, 'since'),
    reason: orNull(raw.reason, (value) => stringAt(value, 'reason')),
    memoryBytes: countAt(raw.memory_bytes, 'memory_bytes'),
    cells: { total: numberAt(cells.total, 'cells.total'), used: countAt(cells.used, 'cells.used') },
    active: countAt(raw.active, 'active'),
    waiting: countAt(raw.waiting, 'waiting'),
    oldestWaitingMs: countAt(raw.oldest_waiting_ms, 'oldest_waiting_ms'),
    tokensPerSecond: numberAt(raw.tokens_per_second, 'tokens_per_second'),
    history: {
      intervalSeconds: numberAt(history.interval_seconds, 'history.interval_seconds'),
      samples: arrayAt(history.samples, 'history.samples').map((value) => {
        const sample = objectAt(value, 'history.samples');
        return {
          at: dateAt(sample.at, 'at'),
          tokensPerSecond: numberAt(sample.tokens_per_second, 'tokens_per_second'),
          busy: countAt(sample.busy, 'busy'),
          active: countAt(sample.active, 'active'),
          waiting: countAt(sample.waiting, 'waiting'),
        };
      }),
    },
  };
}
