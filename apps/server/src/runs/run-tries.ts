/**
 * How often a run is executed again after the server or the engine ended during its execution.
 *
 * Such an end has one cause, and the runs beside it are innocent. So it counts against a run only when the run was
 * executed alone: a run during whose first two executions a process ended gets the engine for itself, and fails after
 * `MAX_OWN_DEATHS` executions of that kind have ended the same way. An end whose cause is known counts against no other run.
 */

/** Before an execution begins it is counted as if a process ended during it: the process that counts would be gone. */
export interface RunTries {
  /** Executions that have begun. */
  readonly attempts: number;
  /** Executions alone that have begun, and other ones during which the engine ended while it ran nothing else. */
  readonly ownDeaths: number;
}

/** From this number of executions on the next is alone. */
export const MAX_SHARED_ATTEMPTS = 2;
const MAX_OWN_DEATHS = 2;

export const FIRST_TRY: RunTries = { attempts: 1, ownDeaths: 0 };

/** Whether the execution that these tries count is alone. */
export function isAlone({ ownDeaths }: RunTries): boolean {
  return ownDeaths > 0;
}

/** Whether the execution that these tries count would be one too many. */
export function isExhausted({ ownDeaths }: RunTries): boolean {
  return ownDeaths > MAX_OWN_DEATHS;
}

/**
 * The tries of the next execution, after the engine ended during this one. `claimRuns` computes the same in the store,
 * after the end of a server.
 *
 * @param ranAlone the engine ran nothing else, by chance or because this execution is alone
 */
export function nextTries(tries: RunTries, ranAlone: boolean): RunTries {
  const { attempts } = tries;
  const ownDeaths = tries.ownDeaths + (ranAlone && !isAlone(tries) ? 1 : 0);
  const isNextAlone = attempts >= MAX_SHARED_ATTEMPTS || ownDeaths > 0;
  return { attempts: attempts + 1, ownDeaths: ownDeaths + (isNextAlone ? 1 : 0) };
}

/** Added to `ownDeaths` while a step of the run may stall the engine. */
const STALLING = 1_000;

/** The tries to store while a step may stall the engine: when the server ends before the step does, the run is over. */
export function stallingTries({ attempts, ownDeaths }: RunTries): RunTries {
  return { attempts, ownDeaths: ownDeaths + STALLING };
}

/** Whether the server ended while a step of an earlier execution stalled the engine. */
export function hasStalled({ ownDeaths }: RunTries): boolean {
  return ownDeaths >= STALLING;
}

/** The tries as they were before this execution, which did not begin or was stopped on purpose. */
export function untried(tries: RunTries): RunTries {
  return {
    attempts: Math.max(0, tries.attempts - 1),
    ownDeaths: Math.max(0, tries.ownDeaths - (isAlone(tries) ? 1 : 0)),
  };
}
