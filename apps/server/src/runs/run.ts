import { type PipelineGet, type RunError, type RunGet, type RunState, toTimestamp } from '@gptj-cloud/protocol';
import { type StoredData, toDataGet } from '../data/data.ts';
import { type StoredFile, toFileGet } from '../files/file.ts';

/**
 * A run. received → running → complete | failed; a run interrupted by a crash goes from either to failed at the next
 * start. Complete has a result, failed has a failure, nothing else has either.
 */
export interface Run {
  readonly id: string;
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
  /** The list of outputs as JSON text; null when there is no JSON form. */
  readonly resultPreview: string | null;
  readonly failure: RunFailure | null;
}

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
    result_preview: run.resultPreview === null ? null : parsePreview(run.resultPreview),
    error: run.failure?.error ?? null,
    error_info: run.failure === null ? null : { exception: run.failure.exception, traceback: run.failure.traceback },
  };
}

function parsePreview(text: string): unknown[] | null {
  const preview: unknown = JSON.parse(text);
  return Array.isArray(preview) ? preview : null;
}
