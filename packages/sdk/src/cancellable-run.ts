/** Waiting for a run in such a way that an abort of the waiting ends the run as well. */
import type { Endpoint } from './connection.ts';
import { exchange } from './exchange.ts';
import { hasEnded, parseRun, type Run } from './run.ts';
import { type RunReference, runIdOf } from './run-data.ts';
import { followCall, openRunStream } from './run-stream.ts';

/** Cancel a run and return it. */
export async function cancelRun(endpoint: Endpoint, run: RunReference, signal?: AbortSignal): Promise<Run> {
  const path = `/v2/runs/${encodeURIComponent(runIdOf(run))}/cancel`;
  return parseRun(await exchange(endpoint, { method: 'POST', path, isIdempotent: true, signal }));
}

/**
 * The end of the run that `start` starts. `start` is not aborted by the signal: the id of the run is needed to cancel it. When
 * the signal aborts, the run is cancelled, and then the reason of the signal is thrown.
 */
export async function endOfStarted(
  endpoint: Endpoint,
  start: () => Promise<Run>,
  signal: AbortSignal | undefined,
): Promise<Run> {
  signal?.throwIfAborted();
  const started = await start();
  return await cancelOnAbort(endpoint, started, signal, async () => await endOf(endpoint, started, signal));
}

/** What `wait` returns. When the signal has aborted it, the run is cancelled before the reason is thrown. */
export async function cancelOnAbort<Value>(
  endpoint: Endpoint,
  run: RunReference,
  signal: AbortSignal | undefined,
  wait: () => Promise<Value>,
): Promise<Value> {
  try {
    signal?.throwIfAborted();
    return await wait();
  } catch (error) {
    // A run that cannot be reached to cancel it must not hide why the call has ended.
    if (signal?.aborted) await cancelRun(endpoint, run).catch(() => undefined);
    throw error;
  }
}

async function endOf(endpoint: Endpoint, run: Run, signal: AbortSignal | undefined): Promise<Run> {
  if (hasEnded(run)) return run;
  const call = followCall(run.id, '', signal);
  for await (const event of openRunStream({ endpoint, call, runId: run.id, canResume: true })) {
    if (event.type === 'run' && hasEnded(event.run)) return event.run;
  }
  return parseRun(await exchange(endpoint, { method: 'GET', path: `/v2/runs/${encodeURIComponent(run.id)}`, signal }));
}
