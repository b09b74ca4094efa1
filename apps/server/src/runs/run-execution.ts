/** The execution of a claimed run: input read, pipeline executed, end stored. */
import type { GenerationEvent } from '@gptj-cloud/engine';
import { PickleError, type PickleValue, readPickle, writePickle } from '@gptj-cloud/pickle';
import { ApiError, type RunGet } from '@gptj-cloud/protocol';
import { EVENT_COALESCE_MS } from '../generation/event-coalesce-ms.ts';
import { createGenerationMeter, type GenerationMeter } from '../generation/generation-meter.ts';
import type { PipelineOutcome, PreparedRun, TokenChunk } from '../generation/pipelines/pipeline.ts';
import type { PipelineRegistry } from '../generation/pipelines/pipeline-registry.ts';
import type { GenerationCost } from '../metering/usage/admission.ts';
import type { Database } from '../store/db.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { AcceptedRuns } from './accepted-runs.ts';
import { findData } from './data/data-store.ts';
import { newFile } from './files/file.ts';
import type { RunFailure } from './run.ts';
import type { RunEvents } from './run-events.ts';
import { CANCELLED, INTERRUPTED, judgeFailure, TRIED_TOO_OFTEN } from './run-failure.ts';
import { type ClaimedRun, countAttempt, putBack } from './run-lease-store.ts';
import type { RunLedger } from './run-ledger.ts';
import type { RunEnder, RunResult } from './run-store.ts';
import type { AbortReason } from './run-worker.ts';

export interface RunExecutionDeps {
  readonly db: Database;
  readonly pipelines: PipelineRegistry;
  readonly ledger: RunLedger;
  readonly events: RunEvents;
  readonly logger: Logger;
  readonly clock: () => Date;
  readonly owner: string;
  readonly accepted: AcceptedRuns;
  readonly show: (run: ClaimedRun) => Promise<RunGet>;
}

/** Executions of a run whose machinery died, or whose server did, before it fails. */
const MAX_ATTEMPTS = 2;
/** A longer preview is left out; the result file has it all. */
const MAX_PREVIEW = 2 ** 20;

/** Of the attempt under way. */
interface Progress {
  meter: GenerationMeter | null;
  /** Readers of its events have seen tokens. */
  hasShown: boolean;
}

type Execution =
  | { readonly type: 'complete'; readonly outcome: PipelineOutcome }
  | { readonly type: 'failed'; readonly failure: RunFailure }
  /** Nothing is stored: the run waits for its next execution, or is somebody else's by now. */
  | { readonly type: 'left' };

/** Execute a run and store how it ended. Rejects when the store fails. */
export async function performRun(deps: RunExecutionDeps, run: ClaimedRun, signal: AbortSignal): Promise<void> {
  const progress: Progress = { meter: null, hasShown: false };
  deps.accepted.begun(run.id, run.startedAt);
  const execution = await execute(deps, run, signal, progress);
  if (execution.type === 'left') return;
  const ender: RunEnder = {
    runId: run.id,
    projectId: run.projectId,
    owner: deps.owner,
    endedAt: deps.clock(),
  };
  const { admissionTicket: ticket } = run;
  const fail = async (failure: RunFailure, cost: GenerationCost | null): Promise<void> => {
    await deps.ledger.end({ ender, ticket, cost, end: { failure } });
  };
  if (execution.type === 'failed') {
    // Only a run that its owner ended costs what it has taken; what failed here is not charged.
    await fail(execution.failure, execution.failure === CANCELLED ? (progress.meter?.cost() ?? null) : null);
    return;
  }
  try {
    const { outcome } = execution;
    await deps.ledger.end({ ender, ticket, cost: outcome.usage, end: { result: resultOf(outcome) } });
  } catch (error) {
    deps.logger.error('result could not be stored', { run_id: run.id, error });
    await fail(judgeFailure(error).failure, null);
  }
}

function resultOf({ outputs, usage, seed, warnings, finishReasons }: PipelineOutcome): RunResult {
  const preview = JSON.stringify(outputs);
  return {
    file: newFile('result', writePickle(outputs)),
    preview: preview.length <= MAX_PREVIEW ? preview : null,
    computeTimeMs: usage.computeMs,
    promptTokens: usage.promptTokens,
    generatedTokens: usage.generatedTokens,
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
  if (run.cancelRequested) return { type: 'failed', failure: CANCELLED };
  if (run.attempts > MAX_ATTEMPTS) return { type: 'failed', failure: TRIED_TOO_OFTEN };
  if (run.isAsync && !deps.events.isOpen(run.id)) {
    // Accepted by an earlier process, or by another one.
    deps.events.open(run.id);
    deps.events.publish(run.id, { type: 'run', run: await deps.show(run) });
  }
  const onTokens = (chunk: TokenChunk): void => {
    progress.hasShown = true;
    deps.events.publish(run.id, { type: 'token', index: chunk.index, text: chunk.text, tokens: [...chunk.tokens] });
  };
  for (let { attempts } = run; ; attempts++) {
    try {
      signal.throwIfAborted();
      const prepared = deps.accepted.prepared(run.id) ?? (await prepareStored(deps, run));
      const meter = createGenerationMeter([prepared.promptTokens], () => performance.now());
      progress.meter = meter;
      const onEvent = (event: GenerationEvent): void => meter.note(0, event);
      // Without events nobody can follow it before its end.
      const maxEventDelayMs = deps.events.isOpen(run.id) ? 0 : EVENT_COALESCE_MS;
      const outcome = await prepared.execute({ signal, priority: run.priority, maxEventDelayMs, onTokens, onEvent });
      return { type: 'complete', outcome };
    } catch (error) {
      if (signal.aborted) return await abandon(deps, run, signal.reason);
      const { failure, retry, unexpected } = judgeFailure(error);
      if (!retry || attempts >= MAX_ATTEMPTS) {
        deps.logger[unexpected ? 'error' : 'warn']('run failed', { run_id: run.id, attempts, error });
        return { type: 'failed', failure };
      }
      deps.logger.warn('run attempt failed', { run_id: run.id, attempts, error });
      await countAttempt(deps.db, run.id, deps.owner);
      // What readers have seen is void: tell them that generation begins anew.
      if (progress.hasShown) deps.events.publish(run.id, { type: 'run', run: await deps.show(run) });
      progress.hasShown = false;
    }
  }
}

async function abandon(deps: RunExecutionDeps, run: ClaimedRun, reason: AbortReason): Promise<Execution> {
  switch (reason) {
    case 'cancelled':
      return { type: 'failed', failure: CANCELLED };
    case 'lease_lost':
      deps.logger.warn('run went on elsewhere or was ended', { run_id: run.id });
      return { type: 'left' };
    case 'stopping':
      // Whoever waits is told; what nobody waits for is done after the next start.
      if (!run.isAsync) return { type: 'failed', failure: INTERRUPTED };
      await putBack(deps.db, run.id, deps.owner);
      return { type: 'left' };
    default:
      return reason satisfies never;
  }
}

/** The run again from what is stored of it. What was sound when it was accepted may no longer be, after an update. */
async function prepareStored({ db, pipelines }: RunExecutionDeps, run: ClaimedRun): Promise<PreparedRun> {
  const stored = await findData(db, run.projectId, run.dataId, 'all');
  if (stored === null) throw new ApiError('not_found', { kind: 'data', id: run.dataId });
  return pipelines.find(run.pipelineId).prepare(readInput(stored.file.bytes ?? new Uint8Array()));
}

/** Throws `invalid_pickle`. */
export function readInput(bytes: Uint8Array): PickleValue {
  try {
    return readPickle(bytes);
  } catch (error) {
    if (!(error instanceof PickleError)) throw error;
    throw new ApiError('invalid_pickle', { reason: error.message }, { details: { reason: error.code }, cause: error });
  }
}
