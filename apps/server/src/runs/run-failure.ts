import { ModelError } from '@gptj-cloud/model';
import { ApiError } from '@gptj-cloud/protocol';
import type { RunFailure } from './run.ts';

/** The failure of a run for an exception. */
export interface FailureOfRun {
  readonly failure: RunFailure;
  /** The cause was in the engine; the next attempt may succeed. */
  readonly retry: boolean;
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

/** The maximum number of executions is reached; the server stopped during each of them. */
export const MAX_ATTEMPTS_REACHED: RunFailure = runFailure(
  'max_retries',
  'the server stopped during every execution of this run',
);

export function toRunFailure(error: unknown): FailureOfRun {
  if (error instanceof ApiError) {
    // Stored input that this version refuses.
    return { failure: runFailure('pipeline_fault', error.message), retry: false, unexpected: false };
  }
  if (!(error instanceof ModelError)) {
    const failure = runFailure('pipeline_fault', 'internal error; the server log names this run');
    return { failure, retry: false, unexpected: true };
  }
  switch (error.code) {
    case 'engine_failed':
      return { failure: runFailure('max_retries', error.message), retry: true, unexpected: false };
    case 'aborted':
    case 'closed':
      return { failure: INTERRUPTED, retry: false, unexpected: false };
    case 'cache_full':
    case 'out_of_memory':
      return { failure: runFailure('unsatisfiable', error.message), retry: false, unexpected: false };
    default:
      return { failure: runFailure('pipeline_fault', error.message), retry: false, unexpected: false };
  }
}

function runFailure(error: RunFailure['error'], exception: string): RunFailure {
  return { error, exception, traceback: `${error}: ${exception}` };
}
