/** Starts what keeps the store small: the deletion of what is old, and the vacuum of the embedded store. */
import { createAuditSweeper } from './audit/audit-sweeper.ts';
import { createEvaluationSweeper } from './evaluations/evaluation-sweeper.ts';
import { startHourlyRetention } from './metering/usage/usage-service.ts';
import { startCountRetention } from './runs/counts/run-counts.ts';
import { createRunSweeper } from './runs/run-sweeper.ts';
import type { Store } from './store/db.ts';
import { startPolling } from './store/polling.ts';
import { vacuumMostChanged } from './store/vacuum.ts';
import type { Logger } from './telemetry/logger.ts';

export interface UpkeepDeps {
  readonly store: Store;
  readonly clock: () => Date;
  readonly logger: Logger;
  /** Whether this process does it, of those on the store. */
  readonly mayWork: () => Promise<boolean>;
  readonly retentionDays: number;
  readonly auditRetentionDays: number;
}

export interface Upkeep {
  close(): Promise<void>;
}

const VACUUM_EVERY_MS = 10_000;

export function startUpkeep({ store, clock, logger, mayWork, retentionDays, auditRetentionDays }: UpkeepDeps): Upkeep {
  const { db } = store;
  // A PostgreSQL server vacuums by itself.
  const vacuum =
    store.dump === null
      ? null
      : startPolling(() => vacuumMostChanged(db), {
          everyMs: VACUUM_EVERY_MS,
          onError: (error) => logger.warn('the store could not be vacuumed', { error }),
        });
  const sweeper = createRunSweeper({ db, logger, clock, retentionDays, mayWork });
  const evaluationSweeper = createEvaluationSweeper({ db, logger, clock, mayWork });
  const countRetention = startCountRetention({ db, clock, logger, mayWork });
  const hourlyRetention = startHourlyRetention({ db, clock, logger, mayWork });
  const auditSweeper = createAuditSweeper({ db, logger, clock, retentionDays: auditRetentionDays, mayWork });
  return {
    async close() {
      await Promise.all([
        vacuum?.stop(),
        sweeper.close(),
        evaluationSweeper.close(),
        countRetention.stop(),
        hourlyRetention.stop(),
        auditSweeper.close(),
      ]);
    },
  };
}
