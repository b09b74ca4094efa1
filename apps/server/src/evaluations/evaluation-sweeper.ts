import type { Database } from '../store/db.ts';
import { always, startPolling } from '../store/polling.ts';
import type { Logger } from '../telemetry/logger.ts';
import { isComplete } from './evaluation.ts';
import { findOlder, removeUnchanged } from './evaluation-store.ts';

export interface EvaluationSweeperDeps {
  readonly db: Database;
  readonly logger: Logger;
  readonly clock: () => Date;
  /** Whether this process does it, of those on the store. Default: it does. */
  readonly mayWork?: () => Promise<boolean>;
  /** Default one hour. */
  readonly everyMs?: number;
}

export interface EvaluationSweeper {
  /** Delete uploads that were not ended. Returns their number. */
  sweep(): Promise<number>;
  /** Stop after the batch under way. A second call returns the promise of the first. */
  close(): Promise<void>;
}

/** A client that sends a report again within this time goes on with it. */
const MAX_UPLOAD_MS = 86_400_000;
/** Heads of evaluations have up to a megabyte. */
const BATCH_ROWS = 20;

/** Removes evaluations of which documents are missing a day after they were begun, every `everyMs`, first after `everyMs`. */
export function createEvaluationSweeper(deps: EvaluationSweeperDeps): EvaluationSweeper {
  const { db, logger, clock, mayWork = always, everyMs = 3_600_000 } = deps;
  let closing: Promise<void> | undefined;
  const sweep = async (): Promise<number> => {
    const horizon = new Date(clock().getTime() - MAX_UPLOAD_MS);
    let removed = 0;
    for (let last: string | undefined = ''; last !== undefined && closing === undefined; ) {
      const batch = await findOlder(db, { horizon, afterId: last, limit: BATCH_ROWS });
      for (const evaluation of batch) {
        if (!isComplete(evaluation) && (await removeUnchanged(db, evaluation))) removed++;
      }
      last = batch.length < BATCH_ROWS ? undefined : batch.at(-1)?.id;
    }
    if (removed > 0) logger.info('unfinished uploads of evaluations removed', { evaluations: removed });
    return removed;
  };
  const polling = startPolling(sweep, {
    everyMs,
    mayWork,
    onError: (error) => logger.error('unfinished uploads of evaluations could not be removed', { error }),
  });
  return {
    sweep,
    close() {
      closing ??= polling.stop();
      return closing;
    },
  };
}
