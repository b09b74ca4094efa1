import { RUN_ERRORS, type RunError } from '@gptj-cloud/protocol';
import type { Labels } from './registry.ts';
import type { ServerMetrics } from './server-metrics.ts';

const COMPLETE: Labels = { state: 'complete', error: 'none' };

/** Counts what happens to runs. */
export interface RunCounter {
  accepted(): void;
  /** `error` is null for a complete run. */
  ended(error: RunError | null): void;
}

/** Counts runs of this server. All series exist from the start: a rate must not miss the first of its kind. */
export function countRuns({ runsAccepted, runsEnded }: ServerMetrics): RunCounter {
  runsAccepted.add(0);
  runsEnded.add(0, COMPLETE);
  for (const error of RUN_ERRORS) runsEnded.add(0, { state: 'failed', error });
  return {
    accepted: () => runsAccepted.add(1),
    ended: (error) => runsEnded.add(1, error === null ? COMPLETE : { state: 'failed', error }),
  };
}
