/** The execution of a claimed run: input read, pipeline executed, end stored. */
import { setImmediate } from 'node:timers/promises';
import type { GenerationEvent } from '@gptj-cloud/engine';
import { ModelError } from '@gptj-cloud/model';
import { writePickleInParts } from '@gptj-cloud/pickle';
import { chargeOf } from '../generation/charge.ts';
import { EVENT_COALESCE_MS } from '../generation/event-coalesce-ms.ts';
import { createGenerationMeter, type GenerationMeter } from '../generation/generation-meter.ts';
import type { PipelineOutcome, PreparedRun, SearchedStep, TokenChunk } from '../generation/pipelines/pipeline.ts';
import type { PipelineRegistry } from '../generation/pipelines/pipeline-registry.ts';
import { describeUnmetNeed } from '../generation/unmet-need.ts';
import type { Admission, GenerationCost, TimeLimits } from '../metering/usage/admission.ts';
import type { Database } from '../store/db.ts';
import { retryOnOutage } from '../store/retry-on-outage.ts';
import { isOutage } from '../store/store-outage.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { AcceptedRuns } from './accepted-runs.ts';
import { newFile } from './files/file.ts';
import type { RunFailure } from './run.ts';
import type { RunEnder, RunEnding, RunResult } from './run-end.ts';
import { runEndFields } from './run-end-fields.ts';
import type { RunEvents } from './run-events.ts';
import { CANCELLED, INTERRUPTED, MAX_ATTEMPTS_REACHED, runTimedOut, STALLED, toRunFailure } from './run-failure.ts';
import { loadData } from './run-input.ts';
import { type ClaimedRun, countTry, putBack } from './run-lease-store.ts';
import type { RunLedger } from './run-ledger.ts';
import type { RunQueries } from './run-queries.ts';
import { hasStalled, isAlone, isExhausted, nextTries, type RunTries, stallingTries } from './run-tries.ts';
import { createRunWatch, type RunWatch } from './run-watch.ts';
import type { AbortReason } from './run-worker.ts';

export interface RunExecutionDeps {
  readonly db: Database;
  readonly pipelines: PipelineRegistry;
  readonly ledger: RunLedger;
  readonly admission: Pick<Admission, 'timeLimits'>;
  readonly events: RunEvents;
  readonly logger: Logger;
  readonly clock: () => Date;
  readonly owner: string;
  readonly accepted: AcceptedRuns;
  readonly queries: Pick<RunQueries, 'get'>;
  readonly capabilities: () => readonly string[];
}

/** Characters of JSON. A longer preview is left out; the result file has all outputs. */
const MAX_PREVIEW_LENGTH = 2 ** 20;

/** State of the attempt under way. */
interface Progress {
  tries: RunTries;
  readonly limits: TimeLimits;
  meter: GenerationMeter | null;
  /** Readers of its events have seen tokens. */
  hasTokenEvents: boolean;
  readonly watch: RunWatch;
}

/** Of a run from before admission was stored. */
const NO_LIMITS: TimeLimits = { generationMs: null, runMs: null };

type Execution =
  | { readonly type: 'complete'; readonly outcome: PipelineOutcome }
  | { readonly type: 'failed'; readonly failure: RunFailure; readonly cost: GenerationCost | null }
  /** No end is stored: the run waits for its next execution, or another process has its lease. */
  | { readonly type: 'left' };

/**
 * Execute a run and store its end. Whether the end is that of this execution: it is not where the run was lost to another process, or waits
 * again. Rejects when the store fails.
 */
export async function performRun(deps: RunExecutionDeps, run: ClaimedRun, signal: AbortSignal): Promise<boolean> {
  const limits = run.admissionTicket === null ? NO_LIMITS : deps.admission.timeLimits(run.admissionTicket);
  const waitedMs = Math.max(0, run.startedAt.getTime() - run.createdAt.getTime());
  const watch = createRunWatch(waitedMs, () => performance.now());
  const progress: Progress = { tries: run.tries, limits, meter: null, hasTokenEvents: false, watch };
  deps.accepted.recordStart(run.id, run.startedAt);
  const deadline = abortAfter(signal, limits.runMs);
  const execution = await execute(deps, run, deadline.signal, progress).finally(deadline.clear);
  if (execution.type === 'left') return false;
  const { id: runId, projectId, admissionTicket: ticket } = run;
  const ender: RunEnder = { runId, projectId, owner: deps.owner, endedAt: deps.clock() };
  const recordEnd = async (cost: GenerationCost | null, end: RunEnding['end']): Promise<boolean> => {
    const execution = { attempts: progress.tries.attempts, waits: watch.waits };
    const ending = { ender, ticket, cost, execution, end };
    const isStored = await retryOnOutage(() => deps.ledger.recordEnd(ending), {
      mayRetry: mayRetryUnlessStopping(signal),
    });
    if (isStored) deps.logger.info('run ended', { ...runEndFields(ending, run.createdAt), model: modelOf(deps, run) });
    return isStored;
  };
  if (execution.type === 'failed') {
    const { failure, cost } = execution;
    return await recordEnd(cost, { failure });
  }
  const { outcome } = execution;
  try {
    return await recordEnd(chargeOf({ type: 'finished' }, progress.meter), { result: await toResult(outcome) });
  } catch (error) {
    // The result is sound: the run waits for its lease to expire, and is executed again.
    if (isOutage(error)) throw error;
    deps.logger.error('result could not be stored', { run_id: runId, error });
    return await recordEnd(chargeOf({ type: 'failed', error }, progress.meter), {
      failure: toRunFailure(error).failure,
    });
  }
}

/** The model of a run, for the log; null: this server no longer has its pipeline. */
function modelOf({ pipelines }: RunExecutionDeps, { pipelineId }: ClaimedRun): string | null {
  return pipelines.get(pipelineId)?.model ?? null;
}

/** A signal that fires with `signal`, and with the reason `timed_out` after a time. Null: no limit. */
function abortAfter(
  signal: AbortSignal,
  ms: number | null,
): { readonly signal: AbortSignal; readonly clear: () => void } {
  if (ms === null) return { signal, clear() {} };
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort('timed_out' satisfies AbortReason), Math.min(ms, 2 ** 31 - 1));
  return { signal: AbortSignal.any([signal, deadline.signal]), clear: () => clearTimeout(timer) };
}

/** A cancelled run stores its end, too; a stopping server does not wait for the store. */
function mayRetryUnlessStopping(signal: AbortSignal): () => boolean {
  return () => !(signal.aborted && signal.reason === ('stopping' satisfies AbortReason));
}

async function toResult({
  outputs,
  outputHead,
  usage,
  seed,
  warnings,
  finishReasons,
}: PipelineOutcome): Promise<RunResult> {
  const bytes = await writePickleInParts(outputs, () => setImmediate());
  return {
    file: newFile('result', bytes),
    // JSON has more than a quarter as many characters as the pickle has bytes: long outputs are not written to be measured.
    preview:
      bytes.length <= 4 * MAX_PREVIEW_LENGTH && JSON.stringify(outputs).length <= MAX_PREVIEW_LENGTH ? outputs : null,
    outputHead,
    computeTimeMs: usage.computeMs,
    promptTokens: usage.promptTokens,
    generatedTokens: usage.generatedTokens,
    computedTokens: usage.computedTokens,
    cachedTokens: usage.cachedTokens,
    seed,
    warnings,
    finishReasons,
  };
}

async function execute(
  deps: RunExecutionDeps,
  run: ClaimedRun,
  signal: AbortSignal,
  progress: Progress,
): Promise<Execution> {
  const { events, logger } = deps;
  if (run.cancelRequested) return { type: 'failed', failure: CANCELLED, cost: null };
  if (hasStalled(run.tries)) return { type: 'failed', failure: STALLED, cost: null };
  if (isExhausted(run.tries)) return { type: 'failed', failure: MAX_ATTEMPTS_REACHED, cost: null };
  if ((run.isAsync || run.isStreamed) && !events.isOpen(run.id)) {
    // Accepted by an earlier process, or by another one.
    events.open(run.id);
    await publishRun(deps, run);
  }
  for (;;) {
    try {
      return { type: 'complete', outcome: await attempt(deps, run, signal, progress) };
    } catch (error) {
      if (signal.aborted) return await toAborted(deps, run, signal.reason, progress);
      // Not a fault of the run.
      if (isOutage(error)) throw error;
      const { failure, retry, unexpected } = toRunFailure(error);
      const { attempts } = progress.tries;
      const tries =
        retry === null ? null : retry === 'blameless' ? progress.tries : nextTries(progress.tries, retry === 'own');
      if (tries === null || isExhausted(tries)) {
        logger[unexpected ? 'error' : 'warn']('run failed', { run_id: run.id, attempts, error });
        return { type: 'failed', failure, cost: chargeOf({ type: 'failed', error }, progress.meter) };
      }
      logger.warn('run attempt failed', { run_id: run.id, attempts, error });
      if (tries !== progress.tries) {
        await retryOnOutage(() => countTry(deps.db, run.id, deps.owner, tries), {
          mayRetry: mayRetryUnlessStopping(signal),
        });
      }
      progress.tries = tries;
      // Readers must discard the tokens received so far: this event reports the restart.
      if (progress.hasTokenEvents) await publishRun(deps, run);
      progress.hasTokenEvents = false;
    }
  }
}

async function attempt(
  deps: RunExecutionDeps,
  run: ClaimedRun,
  signal: AbortSignal,
  progress: Progress,
): Promise<PipelineOutcome> {
  signal.throwIfAborted();
  const prepared =
    deps.accepted.prepared(run.id) ??
    (await retryOnOutage(() => prepareStored(deps, run), { mayRetry: mayRetryUnlessStopping(signal) }));
  const { need } = prepared;
  // Claimed to be ended.
  if (need !== null && !deps.capabilities().includes(need.capability)) {
    throw new ModelError('parameters_refused', describeUnmetNeed(need));
  }
  const meter = createGenerationMeter([prepared.promptTokens], () => performance.now());
  progress.meter = meter;
  progress.watch.begin();
  const onTokens = ({ index, text, tokens, logprobs }: TokenChunk): void => {
    progress.hasTokenEvents = true;
    deps.events.publish(run.id, {
      type: 'token',
      index,
      text,
      tokens: [...tokens],
      ...(logprobs === undefined ? {} : { logprobs: [...logprobs] }),
    });
  };
  const onSearched = ({ step, candidates }: SearchedStep): void => {
    progress.hasTokenEvents = true;
    deps.events.publish(run.id, { type: 'beams', step, candidates: [...candidates] });
  };
  let isStalling = false;
  // One write after the other, also where they would use different connections: the last one counts.
  let stored = Promise.resolve();
  const onEvent = (event: GenerationEvent): void => {
    meter.record(0, event);
    progress.watch.record(event);
    if (isStalling === (event.type === 'stalling')) return;
    isStalling = !isStalling;
    const tries = isStalling ? stallingTries(progress.tries) : progress.tries;
    // Only the next execution would read it.
    stored = stored
      .then(async () => {
        await countTry(deps.db, run.id, deps.owner, tries);
      })
      .catch((error) => {
        deps.logger.warn('tries of a run could not be stored', { run_id: run.id, error });
      });
  };
  // A run without events has no readers before its end.
  const maxEventDelayMs = deps.events.isOpen(run.id) ? 0 : EVENT_COALESCE_MS;
  const { priority, projectId: tenant } = run;
  const { generationMs } = progress.limits;
  try {
    return await prepared.execute({
      signal,
      tenant,
      priority,
      ...(generationMs === null ? {} : { maxComputeMs: generationMs }),
      alone: isAlone(progress.tries),
      maxEventDelayMs,
      onTokens,
      onSearched,
      onEvent,
    });
  } finally {
    await stored;
  }
}

async function publishRun({ events, queries }: RunExecutionDeps, { id, projectId }: ClaimedRun): Promise<void> {
  events.publish(id, { type: 'run', run: await queries.get(projectId, id) });
}

async function toAborted(
  deps: RunExecutionDeps,
  run: ClaimedRun,
  reason: AbortReason,
  progress: Progress,
): Promise<Execution> {
  switch (reason) {
    case 'cancelled':
      return { type: 'failed', failure: CANCELLED, cost: chargeOf({ type: 'stopped', by: 'caller' }, progress.meter) };
    case 'timed_out':
      return {
        type: 'failed',
        failure: runTimedOut(progress.limits.runMs ?? 0),
        cost: chargeOf({ type: 'stopped', by: 'caller' }, progress.meter),
      };
    case 'lease_lost':
      deps.logger.warn('run is executed by another process, or was ended', { run_id: run.id });
      return { type: 'left' };
    case 'stopping':
      // A waiting caller receives a failed run; an asynchronous run is executed after the next start.
      if (!run.isAsync) {
        return {
          type: 'failed',
          failure: INTERRUPTED,
          cost: chargeOf({ type: 'stopped', by: 'server' }, progress.meter),
        };
      }
      await putBack(deps.db, run.id, deps.owner, progress.tries);
      return { type: 'left' };
    default:
      return reason satisfies never;
  }
}

/** Prepare a run from its stored data. Input that was valid when it was accepted may be refused after an update. */
async function prepareStored({ db, pipelines }: RunExecutionDeps, run: ClaimedRun): Promise<PreparedRun> {
  const { file } = await loadData(db, run.projectId, run.dataId);
  return await pipelines.find(run.pipelineId).prepare(file.bytes, run.projectId);
}
