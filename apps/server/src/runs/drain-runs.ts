import type { Logger } from '../telemetry/logger.ts';
import { within } from '../within.ts';
import type { RunWorker } from './run-worker.ts';

/** Time for aborted runs to end. */
const STOP_TIMEOUT_MS = 5_000;

/**
 * Accept no more runs, and wait for those that are executed here and those that a client waits for. Runs that
 * take longer than the timeout are stopped: awaited runs are stored as failed, the others wait in the store for the next start.
 */
export async function drainRuns(worker: RunWorker, timeoutMs: number, logger: Logger): Promise<void> {
  worker.close();
  if (await within(worker.drained, timeoutMs)) return;
  logger.warn('stopping runs that took longer than the drain timeout', { runs: worker.running });
  await worker.stop();
  // A run that does not stop is executed again by the next start.
  if (!(await within(worker.drained, STOP_TIMEOUT_MS))) {
    logger.error('runs did not stop', { runs: worker.running });
  }
}
