import type { GenerationRequest } from '../engine.ts';

/** Learns what the thread works on, so that a watcher can name the generation whose step does not return. */
export interface WorkMonitor {
  /** Code of one generation runs on this thread until `work` returns. */
  step<T>(request: GenerationRequest, work: () => T): T;
  /** The model evaluates a batch until the promise settles. */
  evaluation<T>(work: () => Promise<T>): Promise<T>;
}

/** Without a watcher. */
export const NO_MONITOR: WorkMonitor = {
  step: (_, work) => work(),
  evaluation: (work) => work(),
};
