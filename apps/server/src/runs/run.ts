import {
  finishReasonSchema,
  type PipelineGet,
  type RunError,
  type RunGet,
  type RunState,
  type RunUsage,
  toTimestamp,
} from '@gptj-cloud/protocol';
import { type StoredData, toDataGet } from './data/data.ts';
import { type StoredFile, toFileGet } from './files/file.ts';

/**
 * A run. received ⇄ running → complete | failed; a waiting run that is cancelled goes from received to failed. Running
 * means that somebody has its lease; one whose owner died is run again, from the beginning. Complete has a result,
 * failed has a failure, nothing else has either.
 */
export interface Run {
  readonly id: string;
  readonly projectId: string;
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
  /** The list of outputs as JSON text; null when it is too long to travel with every reply. */
  readonly resultPreview: string | null;
  readonly failure: RunFailure | null;
  /** What ends its reservation. */
  readonly admissionTicket: string | null;
  readonly isAsync: boolean;
  readonly usage: RunUsage | null;
  readonly seed: number | null;
  /** JSON text: a list of sentences. */
  readonly warnings: string | null;
  /** JSON text: one reason for each returned sequence. */
  readonly finishReasons: string | null;
}

/** What every run begins with. */
export const NEW_RUN = {
  endedAt: null,
  computeTimeMs: null,
  result: null,
  resultPreview: null,
  failure: null,
  usage: null,
  seed: null,
  warnings: null,
  finishReasons: null,
} as const;

/** Why a run failed, in words for its owner. */
export interface RunFailure {
  readonly error: RunError;
  readonly exception: string;
  readonly traceback: string;
}

/** How the API shows a run. Every key is always there: old examples index the reply and catch KeyError. */
export function toRunGet(run: Run, runnable: PipelineGet): RunGet {
  const timestamp = (date: Date | null): number | null => (date === null ? null : toTimestamp(date));
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
    result_preview: parseList(run.resultPreview),
    error: run.failure?.error ?? null,
    error_info: run.failure === null ? null : { exception: run.failure.exception, traceback: run.failure.traceback },
    warnings: parseList(run.warnings)?.map(String) ?? [],
    finish_reasons: parseList(run.finishReasons)?.map((reason) => finishReasonSchema.parse(reason)) ?? null,
    usage: run.usage,
    seed: run.seed,
  };
}

function parseList(text: string | null): unknown[] | null {
  if (text === null) return null;
  const list: unknown = JSON.parse(text);
  return Array.isArray(list) ? list : null;
}
