/** The models in the data folder of a server, and their downloads: for its owners. */
import { type Call, connect, type Endpoint } from '../connection.ts';
import { ConnectionFailedError, PipelineApiError } from '../errors.ts';
import { exchange, read, send } from '../exchange.ts';
import { booleanAt, dateAt, listOf, nullable, numberAt, oneOf, record, stringAt } from '../fields.ts';
import { readJson } from '../json.ts';
import type { CallOptions } from '../options.ts';
import { pause, retryWaitMs } from '../retry.ts';
import { eventsOf } from '../run-stream.ts';

export interface ModelSource {
  readonly kind: 'hub' | 'url' | 'folder' | 'file';
  readonly from: string;
  readonly revision: string | null;
  readonly commit: string | null;
}

export interface StoredModel {
  readonly name: string;
  /** `q8_0`, `f16`, … */
  readonly type: string;
  readonly sizeBytes: number;
  /** SHA-256 of the file, as hexadecimal digits. */
  readonly checksum: string;
  readonly source: ModelSource;
  /** ISO 8601. */
  readonly storedAt: string;
  /** Whether the server serves it: its settings name it, or an owner has it served. */
  readonly isServed: boolean;
}

export interface StoredModels {
  readonly models: readonly StoredModel[];
  /** The disk of the models. */
  readonly disk: { readonly freeBytes: number; readonly totalBytes: number };
}

export interface NewPull {
  /** A name of the server's hub: `gpt-j-6b`, or `OWNER/NAME@REVISION`. */
  readonly from: string;
  /** Name in the data folder. Default: made from that of the source. */
  readonly name?: string | null | undefined;
  /** Default: the most precise type that fits into the server's free memory. */
  readonly type?: string | null | undefined;
}

/** A download of a model with its conversion. */
export interface Pull {
  readonly id: string;
  readonly from: string;
  readonly name: string | null;
  readonly type: string | null;
  readonly state: 'running' | 'stored' | 'failed' | 'cancelled';
  readonly phase: 'preparing' | 'downloading' | 'converting';
  /** Of the phase. Bytes of a download are safe on the disk, and never become fewer. */
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly bytesPerSecond: number | null;
  /** Of the phase. */
  readonly secondsLeft: number | null;
  readonly source: ModelSource | null;
  /** The type that was chosen, why, and the size of its file. */
  readonly plan: { readonly type: string; readonly reason: string; readonly fileBytes: number } | null;
  /** Why it pauses, while it does. */
  readonly waiting: string | null;
  readonly warnings: readonly string[];
  readonly error: { readonly code: string; readonly message: string } | null;
  /** `NAME.TYPE` of the stored model. */
  readonly model: string | null;
  readonly startedAt: Date;
  readonly endedAt: Date | null;
}

export interface NewServing {
  /** `NAME` or `NAME.TYPE` of the data folder, or `embedded`. */
  readonly model: string;
  /** By which requests choose it. Default: its name in the data folder. */
  readonly name?: string | null | undefined;
}

/** A model that the server serves, or is to serve. */
export interface ModelServing {
  /** By which requests choose it. */
  readonly name: string;
  /** `NAME.TYPE` in the data folder; null: the settings name it. */
  readonly model: string | null;
  /** Null where this server cannot serve it. */
  readonly pipelineId: string | null;
  readonly tags: readonly string[];
  /** Who has it served: the settings of the server, or an owner while it runs, which the store keeps. */
  readonly from: 'settings' | 'store';
  readonly state: 'loaded' | 'loading' | 'unloaded' | 'closing' | 'evicted' | 'failed';
  /** Why it cannot be loaded or served here; null unless that failed. */
  readonly reason: string | null;
  /** That requests may choose. */
  readonly adapters: readonly string[];
  /** Memory that it takes or would take; null: it is always loaded. */
  readonly plannedBytes: number | null;
  readonly running: number | null;
  readonly waiting: number | null;
  /** Since when an owner has it served; null for those of the settings. */
  readonly createdAt: Date | null;
}

export interface Models {
  list(options?: CallOptions): Promise<StoredModels>;
  /** Delete `NAME` in all its types, or `NAME.TYPE`. Returns what was deleted. */
  delete(
    name: string,
    options?: CallOptions,
  ): Promise<{ readonly removed: readonly string[]; readonly freedBytes: number }>;
  /** The served models: those of the settings first. */
  served(options?: CallOptions): Promise<readonly ModelServing[]>;
  /** Serve a model of the data folder, also after a restart. Never retried. */
  serve(serving: NewServing, options?: CallOptions): Promise<ModelServing>;
  /** Serve it no longer. Generations that have begun go on to their end. Returns the model as it was. */
  stopServing(name: string, options?: CallOptions): Promise<ModelServing>;
  /** Begin a download. A server makes one at a time. Never retried. */
  pull(pull: NewPull, options?: CallOptions): Promise<Pull>;
  /** Downloads since the server started, the newest first. */
  pulls(options?: CallOptions): Promise<readonly Pull[]>;
  getPull(id: string, options?: CallOptions): Promise<Pull>;
  /** Its states until it has ended. A dropped connection is replaced. */
  followPull(id: string, options?: CallOptions): AsyncGenerator<Pull, void, undefined>;
  cancelPull(id: string, options?: CallOptions): Promise<Pull>;
}

const parseSource = record<ModelSource>({
  kind: oneOf('hub', 'url', 'folder', 'file'),
  from: stringAt,
  revision: nullable(stringAt),
  commit: nullable(stringAt),
});

const parseModel = record<StoredModel>({
  name: stringAt,
  type: stringAt,
  sizeBytes: numberAt,
  checksum: stringAt,
  source: parseSource,
  storedAt: stringAt,
  isServed: booleanAt,
});

const parseModels = record<{ readonly data: readonly StoredModel[]; readonly disk: StoredModels['disk'] }>({
  data: listOf(parseModel),
  disk: record<StoredModels['disk']>({ freeBytes: numberAt, totalBytes: numberAt }),
});

const parseRemoved = record<{ readonly removed: readonly string[]; readonly freedBytes: number }>({
  removed: listOf(stringAt),
  freedBytes: numberAt,
});

const parseServing = record<ModelServing>({
  name: stringAt,
  model: nullable(stringAt),
  pipelineId: nullable(stringAt),
  tags: listOf(stringAt),
  from: oneOf('settings', 'store'),
  state: oneOf('loaded', 'loading', 'unloaded', 'closing', 'evicted', 'failed'),
  reason: nullable(stringAt),
  adapters: listOf(stringAt),
  plannedBytes: nullable(numberAt),
  running: nullable(numberAt),
  waiting: nullable(numberAt),
  createdAt: nullable(dateAt),
});

const parseServings = record<{ readonly data: readonly ModelServing[] }>({ data: listOf(parseServing) });

const parsePull = record<Pull>({
  id: stringAt,
  from: stringAt,
  name: nullable(stringAt),
  type: nullable(stringAt),
  state: oneOf('running', 'stored', 'failed', 'cancelled'),
  phase: oneOf('preparing', 'downloading', 'converting'),
  doneBytes: numberAt,
  totalBytes: numberAt,
  bytesPerSecond: nullable(numberAt),
  secondsLeft: nullable(numberAt),
  source: nullable(parseSource),
  plan: nullable(record<NonNullable<Pull['plan']>>({ type: stringAt, reason: stringAt, fileBytes: numberAt })),
  waiting: nullable(stringAt),
  warnings: listOf(stringAt),
  error: nullable(record<NonNullable<Pull['error']>>({ code: stringAt, message: stringAt })),
  model: nullable(stringAt),
  startedAt: dateAt,
  endedAt: nullable(dateAt),
});

const parsePulls = record<{ readonly data: readonly Pull[] }>({ data: listOf(parsePull) });

export function createModels(endpoint: Endpoint): Models {
  const root = '/v2/admin/models';
  const pullPath = (id: string): string => `${root}/pulls/${encodeURIComponent(id)}`;
  return {
    async list(options) {
      const { data, disk } = await read(endpoint, root, parseModels, options);
      return { models: data, disk };
    },
    async delete(name, { signal } = {}) {
      const call: Call = { method: 'DELETE', path: `${root}/${encodeURIComponent(name)}`, isIdempotent: false, signal };
      return parseRemoved(await exchange(endpoint, call));
    },
    served: async (options) => (await read(endpoint, `${root}/served`, parseServings, options)).data,
    serve: async ({ model, name }, options) =>
      await send(endpoint, { path: `${root}/served`, body: { model, name } }, parseServing, options),
    async stopServing(name, { signal } = {}) {
      const path = `${root}/served/${encodeURIComponent(name)}`;
      return parseServing(await exchange(endpoint, { method: 'DELETE', path, isIdempotent: false, signal }));
    },
    pull: async ({ from, name, type }, options) =>
      await send(endpoint, { path: `${root}/pulls`, body: { from, name, type } }, parsePull, options),
    pulls: async (options) => (await read(endpoint, `${root}/pulls`, parsePulls, options)).data,
    getPull: async (id, options) => await read(endpoint, pullPath(id), parsePull, options),
    followPull: (id, options) => followPull(endpoint, `${pullPath(id)}/events`, options),
    cancelPull: async (id, options) => await send(endpoint, { path: `${pullPath(id)}/cancel` }, parsePull, options),
  };
}

/** Each connection begins with the present state, so that a new one needs no position. */
async function* followPull(
  endpoint: Endpoint,
  path: string,
  { signal }: CallOptions = {},
): AsyncGenerator<Pull, void, undefined> {
  for (let drops = 0; ; ) {
    try {
      const connection = await connect(endpoint, { method: 'GET', path, accept: 'text/event-stream', signal });
      try {
        for await (const { type, data } of eventsOf(connection, endpoint)) {
          if (type !== 'pull') continue;
          const pull = parsePull(readJson(data));
          drops = 0;
          yield pull;
          if (pull.state !== 'running') return;
        }
      } finally {
        connection.close();
      }
      throw new ConnectionFailedError(`${endpoint.url} ended the stream before the pull had ended`);
    } catch (error) {
      const waitMs = drops < endpoint.maxRetries ? retryWaitMs(error, drops, Math.random()) : null;
      if (waitMs === null || !(error instanceof PipelineApiError)) throw error;
      drops++;
      endpoint.onRetry({ error, waitMs, retry: drops, maxRetries: endpoint.maxRetries });
      await pause(waitMs, signal);
    }
  }
}
