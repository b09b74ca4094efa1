import { ModelError } from '@gptj-cloud/model';
import { ApiError } from '@gptj-cloud/protocol';
import type { RunFailure } from './run.ts';

/** The failure of a run for an exception. */
export interface FailureOfRun {
  readonly failure: RunFailure;
  /**
   * How the next attempt, which may succeed, is counted: `own`, the engine ended while it ran nothing else; `shared`, it
   * ended for a reason not known; `blameless`, it was ended for another generation. Null: no attempt would succeed.
   */
  readonly retry: 'own' | 'shared' | 'blameless' | null;
  /** A fault of the server: the details go to the log, not to the owner of the run. */
  readonly unexpected: boolean;
}

/** A crash or stop of the server before the run ended. */
export const INTERRUPTED: RunFailure = runFailure(
  'max_retries',
  'the server stopped before the run ended; run it again',
);

/** Cancelled by its owner. */
export const CANCELLED: RunFailure = runFailure('pipeline_fault', 'the run was cancelled');

/** It took longer than its plan allows. */
export function runTimedOut(runMs: number): RunFailure {
  return runFailure(
    'unsatisfiable',
    `generation_timed_out: the run took longer than ${runMs / 1000} s, the limit of the plan`,
  );
}

/** The server ended while a step of this run stalled the engine. */
export const STALLED: RunFailure = runFailure(
  'unsatisfiable',
  'generation_stalled: one step of this generation kept the engine busy for too long: simplify its parameters',
);

/** The maximum number of executions is reached; the server stopped during each of them. */
export const MAX_ATTEMPTS_REACHED: RunFailure = runFailure(
  'max_retries',
  'the server or the engine ended during every execution of this run, also when it was executed alone',
);

export function toRunFailure(error: unknown): FailureOfRun {
  if (error instanceof ApiError) {
    // Stored input that this version refuses.
    return { failure: runFailure('pipeline_fault', error.message), retry: null, unexpected: false };
  }
  if (!(error instanceof ModelError)) {
    const failure = runFailure('pipeline_fault', 'internal error; the server log names this run');
    return { failure, retry: null, unexpected: true };
  }
  switch (error.code) {
    case 'engine_failed':
      return { failure: runFailure('max_retries', error.message), retry: 'own', unexpected: false };
    case 'engine_lost':
      return { failure: runFailure('max_retries', error.message), retry: 'shared', unexpected: false };
    case 'engine_interrupted':
      return { failure: runFailure('max_retries', error.message), retry: 'blameless', unexpected: false };
    case 'model_unavailable':
    case 'queue_timed_out':
    case 'generation_timed_out':
    case 'generation_stalled':
      return {
        failure: runFailure('unsatisfiable', `${error.code}: ${error.message}`),
        retry: null,
        unexpected: false,
      };
    case 'aborted':
    case 'closed':
      return { failure: INTERRUPTED, retry: null, unexpected: false };
    case 'cache_full':
    case 'out_of_memory':
      return { failure: runFailure('unsatisfiable', error.message), retry: null, unexpected: false };
    default:
      return { failure: runFailure('pipeline_fault', error.message), retry: null, unexpected: false };
  }
}

/** The code under which a failed run is counted: the one that its exception begins with, else that of its error. */
export function countedCode({ error, exception }: RunFailure): string {
  if (exception === CANCELLED.exception) return 'cancelled';
  return /^([a-z]{2,20}(?:_[a-z]{1,20}){1,4}): /.exec(exception)?.[1] ?? error;
}

function runFailure(error: RunFailure['error'], exception: string): RunFailure {
  return { error, exception, traceback: `${error}: ${exception}` };
}
