import type { PreparedRun } from '../generation/pipelines/pipeline.ts';
import type { Run } from './run.ts';
import { type RunEnding, toEndedRun } from './run-end.ts';

/** Cache of the runs that this process has accepted, until waiters have received their end. */
export interface AcceptedRuns {
  add(run: Run, prepared: PreparedRun): void;
  /** Null when another process has accepted it. */
  prepared(id: string): PreparedRun | null;
  recordStart(id: string, startedAt: Date): void;
  /** Record a stored end. */
  recordEnd(ending: RunEnding): void;
  /** Remove a run. Returns its stored state if it ended in this process, else null. */
  take(id: string): Run | null;
}

interface AcceptedRun {
  readonly run: Run;
  readonly prepared: PreparedRun;
}

export function createAcceptedRuns(): AcceptedRuns {
  const accepted = new Map<string, AcceptedRun>();
  const change = (id: string, changed: (run: Run) => Run): void => {
    const known = accepted.get(id);
    if (known !== undefined) accepted.set(id, { ...known, run: changed(known.run) });
  };
  return {
    add(run, prepared) {
      accepted.set(run.id, { run, prepared });
    },
    prepared: (id) => accepted.get(id)?.prepared ?? null,
    recordStart: (id, startedAt) => change(id, (run) => ({ ...run, startedAt })),
    recordEnd: (ending) => change(ending.ender.runId, (run) => toEndedRun(run, ending)),
    take(id) {
      const run = accepted.get(id)?.run;
      accepted.delete(id);
      return run === undefined || run.endedAt === null ? null : run;
    },
  };
}
