/** Parses runs from the snake_case of the API. The only file that reads the fields of a run. */
import { PipelineApiError, RunFailedError } from './errors.ts';
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
import { isObject, type JsonObject } from './json.ts';
import type { FinishReason, GenerateDict, GeneratedTexts, RunError, RunState } from './reply-types.ts';

/** What a run returns: texts, or with `return_dict_in_generate` a dict of all that was requested. */
export type GenerateOutput = GeneratedTexts | GenerateDict;

/** A file on the server; `downloadResult` downloads its bytes. */
export interface ResultFile {
  readonly id: string;
  readonly name: string;
}

/**
 * One run of a pipeline. Plain data: safe to store, clone and send. `Output` is what it returns: `GeneratedTexts` or
 * `GenerateDict` where the parameters are known.
 */
export interface Run<Output extends GenerateOutput = GenerateOutput> {
  readonly id: string;
  readonly runState: RunState;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  /** Milliseconds of computing. */
  readonly computeTimeMs: number | null;
  readonly pipeline: { readonly id: string; readonly name: string };
  /**
   * The result as JSON, an array with the one output of GPT-J: `run.resultPreview?.[0][0]` is the first text, and `textsOf(run)`
   * are all of them. Null while the run has not ended, on failure, for a result of more than 1 MiB, and in a list for one of
   * more than 16 KiB.
   */
  readonly resultPreview: readonly [Output] | null;
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
  readonly timings: RunTimings;
  /** What it amounts to at the present prices of its plan; null: nothing was charged. */
  readonly cost: Money | null;
  /** The API token that started it; null: a browser session. */
  readonly tokenId: string | null;
  /** Executions that have begun; null where the server does not tell. */
  readonly attempts: number | null;
  /** The unchanged reply. */
  readonly raw: JsonObject;
}

/** Tokens of a run. Cached tokens are included in the prompt tokens. */
export interface RunUsage {
  readonly promptTokens: number;
  readonly generatedTokens: number;
  /** What the run cost: prompts, beams, candidates and drafts included. Quotas count it. */
  readonly computedTokens: number;
  readonly cachedTokens: number;
}

/** Milliseconds of the execution that ended; null before the end and where it did not come to that. */
export interface RunTimings {
  /** From the acceptance to the first evaluation. */
  readonly queuedMs: number | null;
  /** From the acceptance to the first token. */
  readonly firstTokenMs: number | null;
  /** From the first evaluation to the end. */
  readonly computeMs: number | null;
}

/** Decimal text, and the ISO 4217 code of its currency. */
export interface Money {
  readonly amount: string;
  readonly currency: string;
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
export function throwIfFailed<Output extends GenerateOutput>(run: Run<Output>): Run<Output> {
  if (run.runState === 'failed') throw new RunFailedError(run);
  return run;
}

/**
 * The texts of a complete run, one for each returned sequence. Throws `RunFailedError` for a failed run, and
 * `PipelineApiError` for one without a result in its preview: it has not ended, or its result is too large.
 */
export function textsOf(run: Run): GeneratedTexts {
  const output = throwIfFailed(run).resultPreview?.[0];
  if (output !== undefined) return isTexts(output) ? output : output.texts;
  const reason =
    run.runState === 'complete'
      ? 'its result is too large for the reply; get the run by its id, or use downloadResult'
      : `it is ${run.runState}; use waitForRun`;
  throw new PipelineApiError(`run ${run.id} has no texts here: ${reason}`, { code: 'no_result' });
}

/** Throws `UnexpectedReplyError` with the name of a field of another type. */
export function parseRun(reply: unknown): Run {
  const raw = objectAt(reply, 'a run');
  const runnable = objectAt(raw.runnable, 'runnable');
  return {
    id: stringAt(raw.id, 'id'),
    runState: parseRunState(raw.run_state),
    createdAt: dateAt(raw.created_at, 'created_at'),
    startedAt: orNull(raw.started_at, (value) => dateAt(value, 'started_at')),
    endedAt: orNull(raw.ended_at, (value) => dateAt(value, 'ended_at')),
    computeTimeMs: orNull(raw.compute_time_ms, (value) => numberAt(value, 'compute_time_ms')),
    pipeline: { id: stringAt(runnable.id, 'runnable.id'), name: stringAt(runnable.name, 'runnable.name') },
    resultPreview: orNull(raw.result_preview, parsePreview),
    result: orNull(raw.result, (value) => {
      const file = objectAt(value, 'result');
      return { id: stringAt(file.id, 'result.id'), name: stringAt(file.name, 'result.name') };
    }),
    error: parseRunError(raw.error),
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
    usage: parseUsage(raw.usage),
    seed: orNull(raw.seed, (value) => numberAt(value, 'seed')),
    timings: parseTimings(raw.timings),
    cost: parseCost(raw.cost),
    tokenId: orNull(raw.token_id, (value) => stringAt(value, 'token_id')),
    attempts: orNull(raw.attempts, (value) => numberAt(value, 'attempts')),
    raw,
  };
}

function parsePreview(value: unknown): readonly [GenerateOutput] {
  const [output] = arrayAt(value, 'result_preview');
  if (isTexts(output) || isDict(output)) return [output];
  throw unexpected('result_preview', 'a list with the output of GPT-J', value);
}

function isTexts(value: unknown): value is GeneratedTexts {
  return Array.isArray(value) && value.length > 0 && value.every((text) => typeof text === 'string');
}

/** The server validates its lists by the schema from which the type is made. */
function isDict(value: unknown): value is GenerateDict {
  return isObject(value) && isTexts(value.texts);
}

export function parseRunState(value: unknown): RunState {
  return literalAt(RUN_STATES, value, 'run_state');
}

export function parseRunError(value: unknown): RunError | null {
  return orNull(value, (present) => literalAt(RUN_ERRORS, present, 'error'));
}

export function parseUsage(value: unknown): RunUsage | null {
  return orNull(value, (present) => {
    const usage = objectAt(present, 'usage');
    return {
      promptTokens: numberAt(usage.prompt_tokens, 'usage.prompt_tokens'),
      generatedTokens: numberAt(usage.generated_tokens, 'usage.generated_tokens'),
      computedTokens: numberAt(usage.computed_tokens, 'usage.computed_tokens'),
      cachedTokens: numberAt(usage.cached_tokens, 'usage.cached_tokens'),
    };
  });
}

/** Servers of an earlier version tell no timings. */
export function parseTimings(value: unknown): RunTimings {
  const timings = orNull(value, (present) => objectAt(present, 'timings')) ?? {};
  const ms = (of: unknown, field: string): number | null => orNull(of, (present) => numberAt(present, field));
  return {
    queuedMs: ms(timings.queued_ms, 'timings.queued_ms'),
    firstTokenMs: ms(timings.first_token_ms, 'timings.first_token_ms'),
    computeMs: ms(timings.compute_ms, 'timings.compute_ms'),
  };
}

export function parseCost(value: unknown): Money | null {
  return orNull(value, (present) => {
    const cost = objectAt(present, 'cost');
    return { amount: stringAt(cost.amount, 'cost.amount'), currency: stringAt(cost.currency, 'cost.currency') };
  });
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
