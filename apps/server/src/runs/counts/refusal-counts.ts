import type { Database } from '../../store/db.ts';
import { startPolling } from '../../store/polling.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { addCounts } from './run-counts-store.ts';

export interface RefusalCountsDeps {
  readonly db: Database;
  readonly clock: () => Date;
  readonly logger: Logger;
  /** Default 5 s. */
  readonly everyMs?: number;
}

/**
 * Counts requests that were refused before a run was stored. They are kept in memory and stored together every few seconds:
 * refusals must cost less than what they refuse. A crash loses those of its last seconds.
 */
export interface RefusalCounts {
  count(projectId: string, code: string): void;
  /** Store what was counted. */
  flush(): Promise<void>;
  /** Store the rest. Idempotent. */
  close(): Promise<void>;
}

/** Pairs of project and code until the next time; more are not counted. */
const MAX_PENDING = 10_000;

export function createRefusalCounts({ db, clock, logger, everyMs = 5_000 }: RefusalCountsDeps): RefusalCounts {
  let pending = new Map<string, { readonly projectId: string; readonly code: string; count: number }>();
  let since = clock();
  let storing: Promise<void> = Promise.resolve();
  const store = async (): Promise<void> => {
    const counted = [...pending.values()];
    const at = since;
    pending = new Map();
    if (counted.length === 0) return;
    try {
      await addCounts(
        db,
        counted.map(({ projectId, code, count }) => ({ projectId, at, kind: 'error', key: code, count })),
      );
    } catch (error) {
      logger.warn('counts of refused requests could not be stored', { error });
    }
  };
  const flush = (): Promise<void> => {
    storing = storing.then(store);
    return storing;
  };
  const polling = startPolling(flush, { everyMs, onError: () => {} });
  return {
    count(projectId, code) {
      const id = `${projectId} ${code}`;
      if (pending.size === 0) since = clock();
      const known = pending.get(id);
      if (known !== undefined) known.count++;
      else if (pending.size < MAX_PENDING) pending.set(id, { projectId, code, count: 1 });
    },
    flush,
    async close() {
      await polling.stop();
      await flush();
    },
  };
}
