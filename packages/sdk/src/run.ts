/** Runs, from the wire's snake_case to ours. The one place that looks at the fields of a run. */
import type { RunError, RunState } from '@gptj-cloud/protocol';
import { RunFailedError } from './errors.ts';
import { dateAt, listAt, numberAt, objectAt, orNull, type Page, pageOf, textAt, unexpected, wordAt } from './fields.ts';
import type { JsonObject } from './json.ts';

/** A file the server keeps, by name; `downloadResult` gets its bytes. */
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
  /** The result as JSON: for GPT-J a list holding the list of generated texts. Null while running and on failure. */
  readonly resultPreview: readonly unknown[] | null;
  /** The same result as a file. */
  readonly result: ResultFile | null;
  readonly error: RunError | null;
  readonly errorInfo: { readonly exception: string; readonly traceback: string } | null;
  /** What the caller should know about the result: parameters without effect foremost. */
  readonly warnings: readonly string[];
  /** One for each returned sequence of a complete run. */
  readonly finishReasons: readonly FinishReason[] | null;
  readonly usage: RunUsage | null;
  /** The seed that gives this result again, where anything was drawn. */
  readonly seed: number | null;
  /** The reply as it came, with the wire's names. */
  readonly raw: JsonObject;
}

/** Why a returned sequence ended: an EOS token, the length limit, a stop string or criterion, or `max_time`. */
export type FinishReason = 'eos' | 'length' | 'stop' | 'time';

/** Tokens of a run; the cached ones are part of the prompt's. */
export interface RunUsage {
  readonly promptTokens: number;
  readonly generatedTokens: number;
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

/** The run itself, for chaining. Throws `RunFailedError` when it failed. */
export function throwIfFailed(run: Run): Run {
  if (run.runState === 'failed') throw new RunFailedError(run);
  return run;
}

/** Throws `UnexpectedReplyError` naming the field that is not as the API has it. */
export function parseRun(reply: unknown): Run {
  const raw = objectAt(reply, 'a run');
  const runnable = objectAt(raw.runnable, 'runnable');
  return {
    id: textAt(raw.id, 'id'),
    runState: wordAt(RUN_STATES, raw.run_state, 'run_state'),
    createdAt: dateAt(raw.created_at, 'created_at'),
    startedAt: orNull(raw.started_at, (value) => dateAt(value, 'started_at')),
    endedAt: orNull(raw.ended_at, (value) => dateAt(value, 'ended_at')),
    computeTimeMs: orNull(raw.compute_time_ms, (value) => numberAt(value, 'compute_time_ms')),
    pipeline: { id: textAt(runnable.id, 'runnable.id'), name: textAt(runnable.name, 'runnable.name') },
    resultPreview: orNull(raw.result_preview, (value) => listAt(value, 'result_preview')),
    result: orNull(raw.result, (value) => {
      const file = objectAt(value, 'result');
      return { id: textAt(file.id, 'result.id'), name: textAt(file.name, 'result.name') };
    }),
    error: orNull(raw.error, (value) => wordAt(RUN_ERRORS, value, 'error')),
    errorInfo: orNull(raw.error_info, (value) => {
      const info = objectAt(value, 'error_info');
      return {
        exception: textAt(info.exception, 'error_info.exception'),
        traceback: orNull(info.traceback, (trace) => textAt(trace, 'error_info.traceback')) ?? '',
      };
    }),
    warnings: orNull(raw.warnings, (value) => listAt(value, 'warnings').map((line) => textAt(line, 'warnings'))) ?? [],
    finishReasons: orNull(raw.finish_reasons, (value) =>
      listAt(value, 'finish_reasons').map((reason) => wordAt(FINISH_REASONS, reason, 'finish_reasons')),
    ),
    usage: orNull(raw.usage, (value) => {
      const usage = objectAt(value, 'usage');
      return {
        promptTokens: numberAt(usage.prompt_tokens, 'usage.prompt_tokens'),
        generatedTokens: numberAt(usage.generated_tokens, 'usage.generated_tokens'),
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

/**
 * The bytes of a file reply, whose `data` is their hex. Throws like {@link parseRun}.
 */
export function parseFileBytes(reply: unknown): Uint8Array {
  const hex = textAt(objectAt(reply, 'a file').data, 'data');
  if (!/^(?:[0-9a-f]{2})*$/i.test(hex)) throw unexpected('data', 'hex digits', hex);
  return Uint8Array.from({ length: hex.length / 2 }, (_, at) => Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16));
}
