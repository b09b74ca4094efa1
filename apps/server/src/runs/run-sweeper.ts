import type { Database } from '../store/db.ts';
import { always, startPolling } from '../store/polling.ts';
import type { Logger } from '../telemetry/logger.ts';
import { removeAbandoned } from './files/file-store.ts';
import { type RemoveOld, removeOldData, removeOldFiles, removeOldRuns } from './run-retention-store.ts';

export interface RunSweeperDeps {
  readonly db: Database;
  readonly logger: Logger;
  readonly clock: () => Date;
  /** Days that ended runs, their results, and unused data and files are kept; 0: for ever. */
  readonly retentionDays: number;
  /** Whether this process does it, of those on the store. Default: it does. */
  readonly mayWork?: () => Promise<boolean>;
  /** Default one hour. */
  readonly everyMs?: number;
}

export interface RunSweeper {
  /** Delete expired runs, data and files. Returns the number of deleted runs. */
  sweep(): Promise<number>;
  /** Stop after the batch under way. A second call returns the promise of the first. */
  close(): Promise<void>;
}

const DAY_MS = 86_400_000;
const BATCH_ROWS = 500;
/** A large file that is not stored to its end after this long belongs to a process that died. */
const MAX_UPLOAD_MS = 3_600_000;

/**
 * Removes old runs, and parts of files whose upload did not end, every `everyMs`, first after `everyMs`: an operator who
 * reads at the start that old runs will be removed has time to change it. Runs that have not ended are never removed.
 */
export function createRunSweeper(deps: RunSweeperDeps): RunSweeper {
  const { db, logger, clock, retentionDays, mayWork = always, everyMs = 3_600_000 } = deps;
  let closing: Promise<void> | undefined;
  const removeAll = async (remove: RemoveOld, horizon: Date): Promise<number> => {
    let removed = 0;
    for (let batch = BATCH_ROWS; batch === BATCH_ROWS && closing === undefined; removed += batch) {
      batch = await remove(db, horizon, BATCH_ROWS);
    }
    return removed;
  };
  const sweep = async (): Promise<number> => {
    await removeAll(removeAbandoned, new Date(clock().getTime() - MAX_UPLOAD_MS));
    if (retentionDays === 0) return 0;
    const horizon = new Date(clock().getTime() - retentionDays * DAY_MS);
    const removed = await removeAll(removeOldRuns, horizon);
    await removeAll(removeOldData, horizon);
    await removeAll(removeOldFiles, horizon);
    if (removed > 0) logger.info('old runs removed', { runs: removed });
    return removed;
  };
  const polling = startPolling(sweep, {
    everyMs,
    mayWork,
    onError: (error) => logger.error('old runs could not be removed', { error }),
  });
  return {
    sweep,
    close() {
      closing ??= polling.stop();
      return closing;
    },
  };
}
