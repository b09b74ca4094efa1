import { Worker } from 'node:worker_threads';
import type { GenerationRequest } from '../engine.ts';
import type { WorkMonitor } from '../scheduler/work-monitor.ts';
import { createSharedSigns, LOOK_MS, writeSigns } from './signs-of-life.ts';

/** Data of the watcher's thread. */
export interface WatchData {
  readonly shared: SharedArrayBuffer;
  /** Process id of the server. */
  readonly parentPid: number;
}

/**
 * Start the thread that watches this one, which must be the main thread of the engine's process. It reports to the
 * server's process what this thread does, and ends the process when the server's process has gone: both also while this
 * thread is busy and hears no message.
 *
 * @param idOf the id that the server's process gave a generation; null when it is not known
 */
export function watchMainThread(idOf: (request: GenerationRequest) => number | null): WorkMonitor {
  const shared = createSharedSigns();
  const signs = writeSigns(shared);
  const workerData: WatchData = { shared, parentPid: process.ppid };
  new Worker(new URL('./watch-worker.js', import.meta.url), { workerData }).unref();
  setInterval(() => signs.beat(), LOOK_MS / 2).unref();
  return {
    step(request, work) {
      signs.beginStep(idOf(request));
      try {
        return work();
      } finally {
        signs.endStep();
      }
    },
    async evaluation(work) {
      signs.turnEvaluation();
      try {
        return await work();
      } finally {
        signs.turnEvaluation();
      }
    },
  };
}
