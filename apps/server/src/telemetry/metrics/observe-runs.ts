import { RUN_ERRORS } from '@gptj-cloud/protocol';
import type { RunObserver } from '../../runs/run-observer.ts';
import type { Labels } from './registry.ts';
import type { ServerMetrics } from './server-metrics.ts';

const COMPLETE: Labels = { state: 'complete', error: 'none' };

/** Counts runs of this server. All series are there from the start: a rate must not miss the first of its kind. */
export function observeRuns({ runsAccepted, runsEnded }: ServerMetrics): RunObserver {
  runsAccepted.add(0);
  runsEnded.add(0, COMPLETE);
  for (const error of RUN_ERRORS) runsEnded.add(0, { state: 'failed', error });
  return {
    accepted: () => runsAccepted.add(1),
    ended: (error) => runsEnded.add(1, error === null ? COMPLETE : { state: 'failed', error }),
  };
}
