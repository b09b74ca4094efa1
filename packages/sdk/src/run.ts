/** Runs, from the wire's snake_case to ours. The one place that looks at the fields of a run. */
import type { RunError, RunState } from '@gptj-cloud/protocol';
import { RunFailedError, UnexpectedReplyError } from './errors.ts';
import { isObject, type JsonObject } from './json.ts';

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
  /** The reply as it came, with the wire's names. */
  readonly raw: JsonObject;
}

/** One page of a list, newest first. */
export interface RunPage {
  readonly skip: number;
  readonly limit: number;
  /** Runs in the whole list. */
  readonly total: number;
  readonly runs: readonly Run[];
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
    raw,
  };
}

/** Throws like {@link parseRun}. */
export function parseRunPage(reply: unknown): RunPage {
  const page = objectAt(reply, 'a page of runs');
  return {
    skip: numberAt(page.skip, 'skip'),
    limit: numberAt(page.limit, 'limit'),
    total: numberAt(page.total, 'total'),
    runs: listAt(page.data, 'data').map(parseRun),
  };
}

/**
 * The bytes of a file reply, whose `data` is their hex. Throws like {@link parseRun}.
 */
export function parseFileBytes(reply: unknown): Uint8Array {
  const hex = textAt(objectAt(reply, 'a file').data, 'data');
  if (!/^(?:[0-9a-f]{2})*$/i.test(hex)) throw unexpected('data', 'hex digits', hex);
  return Uint8Array.from({ length: hex.length / 2 }, (_, at) => Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16));
}

/** A field that is null or left out is null. */
function orNull<Value>(value: unknown, parse: (present: unknown) => Value): Value | null {
  return value === undefined || value === null ? null : parse(value);
}

function objectAt(value: unknown, field: string): JsonObject {
  if (!isObject(value)) throw unexpected(field, 'an object', value);
  return value;
}

function listAt(value: unknown, field: string): readonly unknown[] {
  if (!Array.isArray(value)) throw unexpected(field, 'a list', value);
  return value;
}

function textAt(value: unknown, field: string): string {
  if (typeof value !== 'string') throw unexpected(field, 'text', value);
  return value;
}

function numberAt(value: unknown, field: string): number {
  if (typeof value !== 'number') throw unexpected(field, 'a number', value);
  return value;
}

/** Epoch seconds, or ISO 8601 text. */
function dateAt(value: unknown, field: string): Date {
  const date = new Date(typeof value === 'number' ? value * 1000 : typeof value === 'string' ? value : Number.NaN);
  if (Number.isNaN(date.getTime())) throw unexpected(field, 'epoch seconds or an ISO 8601 date', value);
  return date;
}

function wordAt<Word extends string>(words: Readonly<Record<Word, true>>, value: unknown, field: string): Word {
  const isWord = (word: string): word is Word => Object.hasOwn(words, word);
  if (typeof value !== 'string' || !isWord(value)) {
    throw unexpected(field, `one of ${Object.keys(words).join(', ')}`, value);
  }
  return value;
}

function unexpected(field: string, expected: string, got: unknown): UnexpectedReplyError {
  const shown = got === undefined ? 'nothing' : JSON.stringify(got).slice(0, 60);
  return new UnexpectedReplyError(
    `expected ${field} to be ${expected}, got ${shown}; is url the address of a gptj-cloud server?`,
  );
}
