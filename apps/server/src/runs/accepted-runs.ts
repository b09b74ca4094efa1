import type { PreparedRun } from '../generation/pipelines/pipeline.ts';
import type { Run } from './run.ts';
import { type RunEnding, toEnded } from './run-store.ts';

/** What this process knows of runs that it has accepted and that have not been told of: they need not be read from the store. */
export interface AcceptedRuns {
  add(run: Run, prepared: PreparedRun): void;
  /** Null when it was accepted elsewhere. */
  prepared(id: string): PreparedRun | null;
  begun(id: string, startedAt: Date): void;
  /** Its end was stored. */
  ended(ending: RunEnding): void;
  /** Forget a run: as it is stored when it ended here, else null. */
  take(id: string): Run | null;
}

interface Known {
  readonly run: Run;
  readonly prepared: PreparedRun;
}

export function createAcceptedRuns(): AcceptedRuns {
  const known = new Map<string, Known>();
  const change = (id: string, changed: (run: Run) => Run): void => {
    const one = known.get(id);
    if (one !== undefined) known.set(id, { ...one, run: changed(one.run) });
  };
  return {
    add(run, prepared) {
      known.set(run.id, { run, prepared });
    },
    prepared: (id) => known.get(id)?.prepared ?? null,
    begun: (id, startedAt) => change(id, (run) => ({ ...run, startedAt })),
    ended: (ending) => change(ending.ender.runId, (run) => toEnded(run, ending)),
    take(id) {
      const run = known.get(id)?.run;
      known.delete(id);
      return run === undefined || run.endedAt === null ? null : run;
    },
  };
}
