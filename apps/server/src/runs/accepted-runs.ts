import type { PreparedRun } from '../generation/pipelines/pipeline.ts';
import type { Run } from './run.ts';
import { type RunEnding, toEndedRun } from './run-end.ts';

/** Runs that this process has accepted, until their end is announced: they need not be read from the store again. */
export interface AcceptedRuns {
  add(run: Run, prepared: PreparedRun): void;
  /** Null when another process has accepted it. */
  prepared(id: string): PreparedRun | null;
  recordStart(id: string, startedAt: Date): void;
  /** Call it when the end is stored. */
  recordEnd(ending: RunEnding): void;
  /** Remove a run; returned as it is stored when it ended in this process, else null. */
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
