import type { ServerConfig } from '../config/parse-config.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { WorkerModel } from '../worker-main.ts';
import { openWorkerPool, type WorkerPool } from '../workers/worker-pool.ts';

/** The threads that read large requests. */
export function openWorkers(workerData: WorkerModel, config: ServerConfig, logger: Logger): WorkerPool {
  return openWorkerPool({
    entry: new URL('../worker-main.js', import.meta.url),
    workerData,
    threads: config.parseThreads,
    maxWaiting: config.parseWaiting,
    deadlineMs: config.parseDeadlineMs,
    maxHeapMb: config.parseHeapMb,
    logger,
  });
}
