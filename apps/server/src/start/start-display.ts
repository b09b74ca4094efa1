import type { Logger } from '../telemetry/logger.ts';

/** A bar on a terminal. */
export interface ProgressBar {
  update(doneBytes: number, totalBytes: number, label: string): void;
  /** Erase it. Idempotent. */
  clear(): void;
}

/** Shows how far a long step of the start is. */
export interface StartDisplay {
  progress(step: 'converting' | 'loading', doneBytes: number, totalBytes: number, label: string): void;
  clear(): void;
}

/** In the log, a step is reported at each of these shares … */
const LOGGED_STEPS = 10;
/** … of at least this much: smaller ones end before anyone reads. */
const MIN_LOGGED_BYTES = 500e6;

/** A bar where there is one, else a line in the log for each tenth of a step. */
export function createStartDisplay(logger: Logger, bar: ProgressBar | null): StartDisplay {
  const logged = new Map<string, number>();
  return {
    progress(step, doneBytes, totalBytes, label) {
      if (bar !== null) {
        bar.update(doneBytes, totalBytes, `${step} ${label}`);
        return;
      }
      if (totalBytes < MIN_LOGGED_BYTES) return;
      const tenth = Math.floor((doneBytes / totalBytes) * LOGGED_STEPS);
      if (tenth <= (logged.get(step) ?? 0)) return;
      logged.set(step, tenth);
      logger.info(`${step} the model`, { percent: tenth * LOGGED_STEPS, bytes: Math.round(doneBytes), of: totalBytes });
    },
    clear: () => bar?.clear(),
  };
}
