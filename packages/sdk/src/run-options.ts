/** Options of the calls that make, wait for and list runs. */
import type { CallOptions, ListOptions } from './options.ts';
import type { RunState } from './reply-types.ts';

export interface RunOptions extends CallOptions {
  /**
   * Identifies this run: for a second request with the same key and input the server returns the existing run. 1 to 255
   * printable ASCII characters. Default: a new key for every call, so that retries do not run twice.
   */
  readonly idempotencyKey?: string;
}

/** Options of a call that waits for the end of a run. */
export interface AwaitOptions extends RunOptions {
  /**
   * Aborting the call cancels the run, and rejects when the server has confirmed that. Default false: the run continues without
   * the caller, `listRuns` finds it.
   */
  readonly cancelOnAbort?: boolean;
}

/** Options of a call that generates text. */
export interface GenerateOptions extends AwaitOptions {
  /** Id or tag of the pipeline. Default: GPT-J. */
  readonly pipelineId?: string;
}

export interface StreamOptions extends RunOptions {
  /**
   * The run outlives its stream: a dropped connection is resumed after the last event, and leaving early does not end the run
   * (`cancelRun` does). Default false: the server ends a run when its stream is closed.
   */
  readonly keepRunning?: boolean;
}

export interface WaitOptions extends CallOptions {
  /** Time limit, after which `WaitTimeoutError` is thrown. Default: none. */
  readonly waitMs?: number;
  /** Maximum time between two polls; the first ones are closer. Default 2000. */
  readonly pollMs?: number;
  /** Aborting the call cancels the run. Default false. */
  readonly cancelOnAbort?: boolean;
}

export interface ListRunsOptions extends ListOptions {
  /** Only runs of the pipeline with this id. */
  readonly pipelineId?: string;
  /** Only runs in this state. */
  readonly runState?: RunState;
}
