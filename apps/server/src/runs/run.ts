import type { FinishReason } from '@gptj-cloud/decoding';
import type { JsonValue } from '@gptj-cloud/pickle';
import {
  type Money,
  type PipelineGet,
  type RunError,
  type RunGet,
  type RunState,
  type RunTimings,
  type RunUsage,
  toTimestamp,
} from '@gptj-cloud/protocol';
import { type StoredData, toDataGet } from './data/data.ts';
import { type StoredFile, toFileGet } from './files/file.ts';

/**
 * A run. received ⇄ running → complete | failed; a waiting run that is cancelled goes from received to failed. A running
 * run has a lease; when its owner ends, the run is executed again from the beginning. A complete run has a result, a
 * failed one has a failure, and a run in another state has neither.
 */
export interface Run {
  readonly id: string;
  readonly projectId: string;
  /** The API token that started it; null: a browser session. */
  readonly apiKeyId: string | null;
  readonly pipelineId: string;
  readonly data: StoredData;
  readonly state: RunState;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly computeTimeMs: number | null;
  readonly resourceType: string | null;
  readonly minGpuVramMb: number | null;
  readonly result: StoredFile | null;
  /** The outputs; null when there are none or they are too long for every reply. */
  readonly resultPreview: readonly JsonValue[] | null;
  /** The outputs were left out of a list. Default false. */
  readonly isPreviewOmitted?: boolean;
  readonly failure: RunFailure | null;
  /** The reservation that its end releases. */
  readonly admissionTicket: string | null;
  readonly isAsync: boolean;
  /** Executions that have begun. */
  readonly attempts: number;
  readonly usage: RunTokens | null;
  /** Of the execution that ended; null before, and where nothing was computed. */
  readonly waits: RunWaits | null;
  readonly seed: number | null;
  /** Sentences for the caller. */
  readonly warnings: readonly string[];
  /** One for each returned sequence; null before the end. */
  readonly finishReasons: readonly FinishReason[] | null;
}

/** Milliseconds since the acceptance. */
export interface RunWaits {
  /** Until the first evaluation. */
  readonly queuedMs: number;
  /** Until the first token; null when there was none. */
  readonly firstTokenMs: number | null;
}

export interface RunTokens {
  readonly promptTokens: number;
  readonly generatedTokens: number;
  readonly computedTokens: number;
  readonly cachedTokens: number;
}

/** Why a run failed, for its owner to read. */
export interface RunFailure {
  readonly error: RunError;
  readonly exception: string;
  readonly traceback: string;
}

/** Values of every run that has not ended. */
export const NEW_RUN = {
  endedAt: null,
  computeTimeMs: null,
  result: null,
  resultPreview: null,
  failure: null,
  usage: null,
  waits: null,
  seed: null,
  warnings: [],
  finishReasons: null,
} as const;

/** Times of a run as replies show them. */
export function toTimings(waits: RunWaits | null, computeTimeMs: number | null): RunTimings {
  return {
    queued_ms: waits?.queuedMs ?? null,
    first_token_ms: waits?.firstTokenMs ?? null,
    compute_ms: computeTimeMs,
  };
}

export function toUsageGet(usage: RunTokens): RunUsage {
  return {
    prompt_tokens: usage.promptTokens,
    generated_tokens: usage.generatedTokens,
    computed_tokens: usage.computedTokens,
    cached_tokens: usage.cachedTokens,
  };
}

/** The reply for a run. Every key is always present: old examples index the reply and catch KeyError. */
export function toRunGet(run: Run, runnable: PipelineGet, cost: Money | null): RunGet {
  const timestamp = (date: Date | null): number | null => (date === null ? null : toTimestamp(date));
  const { usage, failure } = run;
  return {
    id: run.id,
    created_at: toTimestamp(run.createdAt),
    started_at: timestamp(run.startedAt),
    ended_at: timestamp(run.endedAt),
    run_state: run.state,
    resource_type: run.resourceType,
    compute_time_ms: run.computeTimeMs,
    runnable,
    data: toDataGet(run.data),
    blocking: false,
    compute_requirements: run.minGpuVramMb === null ? null : { min_gpu_vram_mb: run.minGpuVramMb },
    result: run.result === null ? null : toFileGet(run.result),
    result_preview: run.resultPreview === null ? null : [...run.resultPreview],
    ...(run.isPreviewOmitted === true ? { result_preview_omitted: true } : {}),
    error: failure?.error ?? null,
    error_info: failure === null ? null : { exception: failure.exception, traceback: failure.traceback },
    warnings: [...run.warnings],
    finish_reasons: run.finishReasons === null ? null : [...run.finishReasons],
    usage: usage === null ? null : toUsageGet(usage),
    seed: run.seed,
    timings: toTimings(run.waits, run.computeTimeMs),
    cost,
    token_id: run.apiKeyId,
    attempts: run.attempts,
  };
}
