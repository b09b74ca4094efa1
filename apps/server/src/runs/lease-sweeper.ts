/** Ends the leases of processes that died. One process of a store does it, elected by a lock of the database. */
import type { Database } from '../store/db.ts';
import { type Polling, startPolling } from '../store/polling.ts';
import type { StoreSession } from '../store/store-session.ts';
import type { Logger } from '../telemetry/logger.ts';
import { endExpiredLeases } from './nodes/node-store.ts';

export interface LeaseSweeperDeps {
  readonly db: Database;
  readonly logger: Logger;
  readonly session: Pick<StoreSession, 'isElected'>;
  readonly leaseMs: number;
  /** Runs wait again. */
  readonly wake: () => void;
}

const MAX_SWEEP_MS = 1_000;

export function startLeaseSweeper({ db, logger, session, leaseMs, wake }: LeaseSweeperDeps): Polling {
  const sweep = async (): Promise<void> => {
    if (!(await session.isElected('leases'))) return;
    const count = await endExpiredLeases(db, leaseMs);
    if (count === 0) return;
    logger.warn('runs of a server that ended wait for another one', { runs: count });
    wake();
  };
  return startPolling(sweep, {
    everyMs: Math.min(MAX_SWEEP_MS, leaseMs / 3),
    onError: (error) => logger.warn('leases of ended servers could not be looked for', { error }),
  });
}
