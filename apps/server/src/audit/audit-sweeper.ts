import type { Database } from '../store/db.ts';
import { always, startPolling } from '../store/polling.ts';
import type { Logger } from '../telemetry/logger.ts';
import { expireAudit, removeOldRepeats } from './audit-store.ts';

export interface AuditSweeperDeps {
  readonly db: Database;
  readonly logger: Logger;
  readonly clock: () => Date;
  /** Days that entries are kept; 0: for ever. */
  readonly retentionDays: number;
  /** Whether this process does it, of those on the store. Default: it does. */
  readonly mayWork?: () => Promise<boolean>;
  /** Default one hour. */
  readonly everyMs?: number;
}

export interface AuditSweeper {
  /** Delete expired entries. Returns their number. */
  sweep(): Promise<number>;
  /** Stop after the batch under way. A second call returns the promise of the first. */
  close(): Promise<void>;
}

const DAY_MS = 86_400_000;
const BATCH_ROWS = 1000;

/** Removes old entries of the audit log every `everyMs`, first after `everyMs`. Nothing else removes an entry. */
export function createAuditSweeper(deps: AuditSweeperDeps): AuditSweeper {
  const { db, logger, clock, retentionDays, mayWork = always, everyMs = 3_600_000 } = deps;
  let closing: Promise<void> | undefined;
  const sweep = async (): Promise<number> => {
    const now = clock().getTime();
    await removeOldRepeats(db, new Date(now - DAY_MS));
    if (retentionDays === 0) return 0;
    const horizon = new Date(now - retentionDays * DAY_MS);
    let removed = 0;
    for (let batch = BATCH_ROWS; batch === BATCH_ROWS && closing === undefined; removed += batch) {
      batch = await expireAudit(db, horizon, BATCH_ROWS);
    }
    if (removed > 0) logger.info('old entries of the audit log removed', { entries: removed });
    return removed;
  };
  const onError = (error: unknown): void =>
    logger.error('old entries of the audit log could not be removed', { error });
  const polling = startPolling(sweep, { everyMs, mayWork, onError });
  return {
    sweep,
    close() {
      closing ??= polling.stop();
      return closing;
    },
  };
}
