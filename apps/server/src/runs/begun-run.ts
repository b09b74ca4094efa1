import type { ExecuteOptions, PipelineOutcome, PreparedRun } from '../generation/pipelines/pipeline.ts';

/** A run that executes while it is being stored. */
export interface BegunRun {
  /** The same run. Its first `execute` joins the execution under way and receives what that has reported so far. */
  readonly prepared: PreparedRun;
  /** The run is not stored: end its execution. */
  stop(): void;
}

type Report = (receiver: ExecuteOptions) => void;

/** Begin to execute a run that has no row yet: a short run then takes little longer than its computation. */
export function beginRun(prepared: PreparedRun, scheduling: Omit<ExecuteOptions, 'signal'>): BegunRun {
  const control = new AbortController();
  let receiver: ExecuteOptions | null = null;
  let kept: Report[] = [];
  const report = (one: Report): void => {
    if (receiver === null) kept.push(one);
    else one(receiver);
  };
  const outcome = prepared.execute({
    ...scheduling,
    signal: control.signal,
    onTokens: (chunk) => report(({ onTokens }) => onTokens?.(chunk)),
    onSearched: (step) => report(({ onSearched }) => onSearched?.(step)),
    onEvent: (event) => report(({ onEvent }) => onEvent?.(event)),
  });
  // Without a receiver, no one else handles the failure.
  outcome.catch(() => {});
  const join = async (options: ExecuteOptions): Promise<PipelineOutcome> => {
    receiver = options;
    const reports = kept;
    kept = [];
    for (const one of reports) one(options);
    const { signal } = options;
    const abort = (): void => control.abort(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    return await outcome.finally(() => signal.removeEventListener('abort', abort));
  };
  return {
    prepared: { ...prepared, execute: (options) => (receiver === null ? join(options) : prepared.execute(options)) },
    stop: () => control.abort('not_stored'),
  };
}
