/** Parses runs from the snake_case of the API. The only file that reads the fields of a run. */
import type { RunError, RunState } from '@gptj-cloud/protocol';
import { RunFailedError } from './errors.ts';
import {
  arrayAt,
  dateAt,
  literalAt,
  numberAt,
  objectAt,
  orNull,
  type Page,
  pageOf,
  stringAt,
  unexpected,
} from './fields.ts';
import type { JsonObject } from './json.ts';

/** A file on the server; `downloadResult` downloads its bytes. */
export interface ResultFile {
  readonly id: string;
  readonly name: string;
}

/** One run of a pipeline. Plain data: safe to store, clone and send. */
export interface Run {
  readonly id: string;
  readonly runState: RunState;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  /** Milliseconds of computing. */
  readonly computeTimeMs: number | null;
  readonly pipeline: { readonly id: string; readonly name: string };
  /** The result as JSON: for GPT-J an array with the array of generated texts. Null while running and on failure. */
  readonly resultPreview: readonly unknown[] | null;
  /** The same result as a file. */
  readonly result: ResultFile | null;
  readonly error: RunError | null;
  readonly errorInfo: { readonly exception: string; readonly traceback: string } | null;
  /** Warnings about the result, mostly parameters without effect. */
  readonly warnings: readonly string[];
  /** One for each returned sequence of a complete run. */
  readonly finishReasons: readonly FinishReason[] | null;
  readonly usage: RunUsage | null;
  /** The seed of a sampled result; null when nothing was sampled. */
  readonly seed: number | null;
  /** The unchanged reply. */
  readonly raw: JsonObject;
}

/** Why a returned sequence ended: an EOS token, the length limit, a stop string or criterion, or `max_time`. */
export type FinishReason = 'eos' | 'length' | 'stop' | 'time';

/** Tokens of a run. Cached tokens are included in the prompt tokens. */
export interface RunUsage {
  readonly promptTokens: number;
  readonly generatedTokens: number;
  /** What the run cost: prompts, beams, candidates and drafts included. Quotas count it. */
  readonly computedTokens: number;
  readonly cachedTokens: number;
}

const RUN_STATES: Readonly<Record<RunState, true>> = {
  received: true,
  allocating_cluster: true,
  awaiting_resource_allocation: true,
  allocating_resource: true,
  loading_data: true,
  loading_function: true,
  loading_pipeline: true,
  running: true,
  complete: true,
  failed: true,
};

const RUN_ERRORS: Readonly<Record<RunError, true>> = { max_retries: true, pipeline_fault: true, unsatisfiable: true };

const FINISH_REASONS: Readonly<Record<FinishReason, true>> = { eos: true, length: true, stop: true, time: true };

/** Whether the run is over: complete or failed. */
export function hasEnded(run: Run): boolean {
  return run.runState === 'complete' || run.runState === 'failed';
}

/** Return the run, for chaining. Throws `RunFailedError` for a failed run. */
export function throwIfFailed(run: Run): Run {
  if (run.runState === 'failed') throw new RunFailedError(run);
  return run;
}

/** Throws `UnexpectedReplyError` with the name of a field of another type. */
export function parseRun(reply: unknown): Run {
  const raw = objectAt(reply, 'a run');
  const runnable = objectAt(raw.runnable, 'runnable');
  return {
    id: stringAt(raw.id, 'id'),
    runState: literalAt(RUN_STATES, raw.run_state, 'run_state'),
    createdAt: dateAt(raw.created_at, 'created_at'),
    startedAt: orNull(raw.started_at, (value) => dateAt(value, 'started_at')),
    endedAt: orNull(raw.ended_at, (value) => dateAt(value, 'ended_at')),
    computeTimeMs: orNull(raw.compute_time_ms, (value) => numberAt(value, 'compute_time_ms')),
    pipeline: { id: stringAt(runnable.id, 'runnable.id'), name: stringAt(runnable.name, 'runnable.name') },
    resultPreview: orNull(raw.result_preview, (value) => arrayAt(value, 'result_preview')),
    result: orNull(raw.result, (value) => {
      const file = objectAt(value, 'result');
      return { id: stringAt(file.id, 'result.id'), name: stringAt(file.name, 'result.name') };
    }),
    error: orNull(raw.error, (value) => literalAt(RUN_ERRORS, value, 'error')),
    errorInfo: orNull(raw.error_info, (value) => {
      const info = objectAt(value, 'error_info');
      return {
        exception: stringAt(info.exception, 'error_info.exception'),
        traceback: orNull(info.traceback, (trace) => stringAt(trace, 'error_info.traceback')) ?? '',
      };
    }),
    warnings:
      orNull(raw.warnings, (value) => arrayAt(value, 'warnings').map((line) => stringAt(line, 'warnings'))) ?? [],
    finishReasons: orNull(raw.finish_reasons, (value) =>
      arrayAt(value, 'finish_reasons').map((reason) => literalAt(FINISH_REASONS, reason, 'finish_reasons')),
    ),
    usage: orNull(raw.usage, (value) => {
      const usage = objectAt(value, 'usage');
      return {
        promptTokens: numberAt(usage.prompt_tokens, 'usage.prompt_tokens'),
        generatedTokens: numberAt(usage.generated_tokens, 'usage.generated_tokens'),
        computedTokens: numberAt(usage.computed_tokens, 'usage.computed_tokens'),
        cachedTokens: numberAt(usage.cached_tokens, 'usage.cached_tokens'),
      };
    }),
    seed: orNull(raw.seed, (value) => numberAt(value, 'seed')),
    raw,
  };
}

/** Throws like {@link parseRun}. */
export function parseRunPage(reply: unknown): Page<Run> {
  return pageOf(reply, parseRun);
}

/** The bytes of a file reply, whose `data` holds them as hex. Throws like {@link parseRun}. */
export function parseFileBytes(reply: unknown): Uint8Array {
  const hex = stringAt(objectAt(reply, 'a file').data, 'data');
  if (!/^(?:[0-9a-f]{2})*$/i.test(hex)) throw unexpected('data', 'hex digits', hex);
  return Uint8Array.from({ length: hex.length / 2 }, (_, at) => Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16));
}
