/** The server as a whole, for its owners. */
import { connect, type Endpoint } from '../connection.ts';
import { order, read, send } from '../exchange.ts';
import { booleanAt, dateAt, listOf, nullable, numberAt, oneOf, pageOf, record, stringAt } from '../fields.ts';
import { type CallOptions, type ListOptions, queryOf } from '../options.ts';
import { type PagePromise, pagesBySkip } from '../pages.ts';
import { type RunReference, runIdOf } from '../run-data.ts';
import { type AuditEntry, type AuditOptions, readAuditLog } from './audit-records.ts';
import { type EngineStatus, parseEngine } from './engine.ts';

/** Whether the servers of the store refuse new runs. The other fields are null while they do not. */
export interface MaintenanceState {
  readonly isOn: boolean;
  /** The sentence that refused clients get. */
  readonly message: string | null;
  readonly retryAfterSeconds: number | null;
  readonly since: Date | null;
}

export interface MaintenanceChange {
  readonly isOn: boolean;
  /** Default: the present one, else a general one. */
  readonly message?: string | null | undefined;
  readonly retryAfterSeconds?: number | null | undefined;
}

/** A setting as the server read it. */
export interface ServerSetting {
  readonly name: string;
  readonly group: string;
  /** One phrase, in Markdown. */
  readonly help: string;
  /** As it was given; null where it is secret or the default holds. */
  readonly value: string | null;
  /** In Markdown. */
  readonly default: string;
  readonly isSet: boolean;
  readonly isSecret: boolean;
}

export interface AdminOverview {
  readonly version: string;
  readonly node: string;
  readonly startedAt: Date;
  readonly users: {
    readonly total: number;
    readonly owners: number;
    readonly disabled: number;
    /** Since midnight UTC. */
    readonly activeToday: number;
  };
  /** Requests for a plan that wait for an owner. */
  readonly planRequests: number;
  readonly runs: { readonly received: number; readonly running: number; readonly oldestWaitingMs: number | null };
  readonly webhooks: { readonly waiting: number; readonly sending: number; readonly openBreakers: number };
  readonly engine: EngineStatus;
  readonly store: { readonly kind: 'embedded' | 'postgresql'; readonly bytes: number };
  /** The disk of the embedded store. */
  readonly disk: { readonly freeBytes: number; readonly totalBytes: number } | null;
  readonly maintenance: MaintenanceState;
  readonly settings: readonly ServerSetting[];
}

/** An open run of any project, without its input. */
export interface QueuedRun {
  readonly id: string;
  readonly state: 'received' | 'running';
  readonly project: { readonly id: string; readonly name: string };
  readonly user: { readonly id: string; readonly username: string };
  readonly pipelineId: string;
  /** Computed tokens that are reserved for it; null where its plan has no limits. */
  readonly reservedTokens: number | null;
  readonly priority: number;
  readonly attempts: number;
  readonly asyncRun: boolean;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  /** From its arrival until its start, or until now. */
  readonly waitedMs: number;
  readonly cancelRequested: boolean;
}

export interface Admin {
  overview(options?: CallOptions): Promise<AdminOverview>;
  /** The open runs of all projects: running ones first, then in the order of the queue. */
  queue(options?: Pick<ListOptions, 'skip' | 'limit' | 'signal'>): PagePromise<QueuedRun>;
  cancelRun(run: RunReference | QueuedRun, options?: CallOptions): Promise<void>;
  /** Refuse new runs for a time, or accept them again. */
  setMaintenance(change: MaintenanceChange, options?: CallOptions): Promise<MaintenanceState>;
  auditLog(options?: AuditOptions): PagePromise<AuditEntry>;
  /** A backup of the embedded store, as it arrives. Never retried. */
  backup(options?: CallOptions): AsyncGenerator<Uint8Array, void, undefined>;
  /** Address of a backup of the embedded store, to download with a session that was confirmed recently. */
  backupAddress(): string;
}

const parseMaintenance = record<MaintenanceState>({
  isOn: booleanAt,
  message: nullable(stringAt),
  retryAfterSeconds: nullable(numberAt),
  since: nullable(dateAt),
});

const parseSetting = record<ServerSetting>({
  name: stringAt,
  group: stringAt,
  help: stringAt,
  value: nullable(stringAt),
  default: stringAt,
  isSet: booleanAt,
  isSecret: booleanAt,
});

const parseOverview = record<AdminOverview>({
  version: stringAt,
  node: stringAt,
  startedAt: dateAt,
  users: record<AdminOverview['users']>({
    total: numberAt,
    owners: numberAt,
    disabled: numberAt,
    activeToday: numberAt,
  }),
  planRequests: numberAt,
  runs: record<AdminOverview['runs']>({
    received: numberAt,
    running: numberAt,
    oldestWaitingMs: nullable(numberAt),
  }),
  webhooks: record<AdminOverview['webhooks']>({ waiting: numberAt, sending: numberAt, openBreakers: numberAt }),
  engine: parseEngine,
  store: record<AdminOverview['store']>({ kind: oneOf('embedded', 'postgresql'), bytes: numberAt }),
  disk: nullable(record<NonNullable<AdminOverview['disk']>>({ freeBytes: numberAt, totalBytes: numberAt })),
  maintenance: parseMaintenance,
  settings: listOf(parseSetting),
});

const parseQueuedRun = record<QueuedRun>({
  id: stringAt,
  state: oneOf('received', 'running'),
  project: record<QueuedRun['project']>({ id: stringAt, name: stringAt }),
  user: record<QueuedRun['user']>({ id: stringAt, username: stringAt }),
  pipelineId: stringAt,
  reservedTokens: nullable(numberAt),
  priority: numberAt,
  attempts: numberAt,
  asyncRun: booleanAt,
  createdAt: dateAt,
  startedAt: nullable(dateAt),
  waitedMs: numberAt,
  cancelRequested: booleanAt,
});

export function createAdmin(endpoint: Endpoint): Admin {
  const root = '/v2/admin';
  return {
    overview: async (options) => await read(endpoint, `${root}/overview`, parseOverview, options),
    queue: (options = {}) =>
      pagesBySkip(options, async ({ skip = 0, limit = 20, signal }) => {
        const query = queryOf({ skip: String(skip), limit: String(limit) });
        return await read(endpoint, `${root}/runs${query}`, (reply) => pageOf(reply, parseQueuedRun), { signal });
      }),
    cancelRun: async (run, options) =>
      await order(endpoint, { path: `${root}/runs/${encodeURIComponent(runIdOf(run))}/cancel` }, options),
    setMaintenance: async ({ isOn, message, retryAfterSeconds }, options) => {
      const body = { is_on: isOn, message, retry_after_seconds: retryAfterSeconds };
      return await send(endpoint, { method: 'PATCH', path: `${root}/maintenance`, body }, parseMaintenance, options);
    },
    auditLog: (options) => readAuditLog(endpoint, '/v2/audit-log', options),
    async *backup({ signal } = {}) {
      const call = { method: 'GET', path: `${root}/backup`, accept: '*/*', signal } as const;
      yield* (await connect(endpoint, call)).chunks();
    },
    backupAddress: () => `${endpoint.url}${root}/backup`,
  };
}
