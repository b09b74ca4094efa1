/**
 * Maintenance: the operator has the servers of a store refuse new runs and generations, with a sentence and the time to
 * retry. Accepted ones are executed, everything else is answered. It is stored, so it outlives restarts.
 */
import { ApiError, type MaintenanceGet, type MaintenancePatch, toTimestamp } from '@gptj-cloud/protocol';
import { type Caller, recordAudit } from '../../audit/audit-log.ts';
import type { Database } from '../../store/db.ts';
import { startPolling } from '../../store/polling.ts';
import type { Admission } from '../usage/admission.ts';
import { findMaintenance, type MaintenanceNotice, saveMaintenance } from './maintenance-store.ts';

export interface MaintenanceDeps {
  readonly db: Database;
  readonly clock: () => Date;
  /** Other servers share the store and may begin or end it. */
  readonly isShared: boolean;
  /** The store could not be read; the last known state holds. */
  readonly onError: (error: unknown) => void;
}

export interface Maintenance {
  /** As of the last read of the store; null: there is none. */
  current(): MaintenanceNotice | null;
  /** Begin, change or end it for all servers of the store. */
  change(patch: MaintenancePatch, caller: Caller): Promise<MaintenanceGet>;
  /** Read the store. Call it before the first run is accepted. */
  refresh(): Promise<void>;
  /** The same admission, which refuses everything during maintenance with `maintenance`. */
  guard(admission: Admission): Admission;
  close(): Promise<void>;
}

/** After how long other servers of a store notice. */
const POLL_MS = 2_000;
const DEFAULT_MESSAGE = 'the server is under maintenance and accepts no new runs';
const RETRY_SECONDS = 300;

export function createMaintenance({ db, clock, isShared, onError }: MaintenanceDeps): Maintenance {
  let known: MaintenanceNotice | null = null;
  const refresh = async (): Promise<void> => {
    known = await findMaintenance(db);
  };
  const polling = isShared ? startPolling(refresh, { everyMs: POLL_MS, onError }) : null;
  const refusal = (): ApiError | null =>
    known === null
      ? null
      : new ApiError('maintenance', { message: known.message }, { retryAfterSeconds: known.retryAfterSeconds });
  return {
    current: () => known,
    async change({ is_on: isOn, message, retry_after_seconds: retryAfterSeconds }, caller) {
      known = await db.transaction(async (tx) => {
        const before = await findMaintenance(tx);
        const after: MaintenanceNotice | null = isOn
          ? {
              message: message ?? before?.message ?? DEFAULT_MESSAGE,
              retryAfterSeconds: retryAfterSeconds ?? before?.retryAfterSeconds ?? RETRY_SECONDS,
              since: before?.since ?? clock(),
            }
          : null;
        await saveMaintenance(tx, after);
        const details = { on: isOn, ...(after === null ? {} : { message: after.message }) };
        await recordAudit(tx, clock(), caller, { action: 'server.maintenance', subject: null, details });
        return after;
      });
      return toMaintenanceGet(known);
    },
    refresh,
    guard: (admission) => ({
      async admit(principal, estimate) {
        const refused = refusal();
        if (refused !== null) throw refused;
        return await admission.admit(principal, estimate);
      },
      async admitRuns(tx, runs) {
        const refused = refusal();
        return refused === null ? await admission.admitRuns(tx, runs) : runs.map(() => refused);
      },
      endRuns: (tx, ends) => admission.endRuns(tx, ends),
      timeLimits: (ticket) => admission.timeLimits(ticket),
      price: (ticket, cost) => admission.price(ticket, cost),
    }),
    async close() {
      await polling?.stop();
    },
  };
}

export function toMaintenanceGet(notice: MaintenanceNotice | null): MaintenanceGet {
  if (notice === null) return { is_on: false, message: null, retry_after_seconds: null, since: null };
  const { message, retryAfterSeconds, since } = notice;
  return { is_on: true, message, retry_after_seconds: retryAfterSeconds, since: toTimestamp(since) };
}
