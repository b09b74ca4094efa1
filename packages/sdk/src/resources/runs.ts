import { type Call, connect, type Endpoint } from '../connection.ts';
import { ConnectionFailedError, RateLimitedError, ServerError } from '../errors.ts';
import { exchange } from '../exchange.ts';
import { dateAt, numberAt, objectAt, orNull, type Page, pageOf, stringAt, unexpected } from '../fields.ts';
import { type JsonObject, readJson } from '../json.ts';
import { type CallOptions, type ListOptions, pageQuery } from '../options.ts';
import { type PagePromise, pagesOf } from '../pages.ts';
import type { RunState } from '../reply-types.ts';
import { pause } from '../retry.ts';
import {
  type Money,
  parseCost,
  parseRunError,
  parseRunState,
  parseTimings,
  parseUsage,
  type RunTimings,
  type RunUsage,
} from '../run.ts';
import { type PipelineData, type RunReference, runIdOf, type UncheckedData } from '../run-data.ts';
import { createSseParser } from '../sse-parser.ts';
import { checkRun, type RunCheck } from './run-checks.ts';

/** A run without its input, result and traceback. */
export interface RunSummary {
  readonly id: string;
  readonly runState: RunState;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly pipelineId: string;
  /** The first 160 letters of the prompt; null in runs of an earlier version of the server. */
  readonly promptHead: string | null;
  /** The first 160 letters of the first output. */
  readonly outputHead: string | null;
  /** The API token that started it; null: a browser session. */
  readonly tokenId: string | null;
  /** Null where the token was deleted. */
  readonly tokenName: string | null;
  readonly error: 'max_retries' | 'pipeline_fault' | 'unsatisfiable' | null;
  /** The first 300 letters of its exception. */
  readonly exception: string | null;
  readonly usage: RunUsage | null;
  readonly timings: RunTimings;
  readonly cost: Money | null;
  readonly seed: number | null;
  readonly attempts: number;
  readonly asyncRun: boolean;
}

export interface RunSummaryOptions extends Omit<ListOptions, 'order'> {
  /**
   * Which runs come first: by their acceptance, by the time of their computing, or by their computed tokens. The last four
   * list ended runs alone, and go without `q`. Default `newest`.
   */
  readonly order?: keyof typeof ORDERS | undefined;
  /**
   * A text in the first 160 letters of prompt or output, whatever its case, or a part of an id. A page compares 10,000 runs:
   * one before the last may be empty, and `total` counts the matches so far.
   */
  readonly q?: string | undefined;
  /** An id or a tag. */
  readonly pipelineId?: string | undefined;
  /** The id of an API token, or `session` for runs of browser sessions. */
  readonly tokenId?: string | undefined;
  readonly states?: readonly RunState[] | undefined;
  readonly createdAfter?: Date | undefined;
  readonly createdBefore?: Date | undefined;
}

/** What a run was started with. */
export interface RunInput {
  /** A text, or its token ids. */
  readonly prompt: string | readonly number[];
  readonly parameters: JsonObject;
}

/** A run that was accepted, began or ended; the id of one that was deleted; or `resync`: list the runs again. */
export type RunChange =
  | { readonly type: 'resync' }
  | { readonly type: 'run'; readonly run: RunSummary }
  | { readonly type: 'deleted'; readonly id: string };

export interface ChangesOptions extends CallOptions {
  /** Called when the connection is lost, and with true when it is there again. */
  readonly onConnection?: (isConnected: boolean) => void;
}

/** Runs as lists show them. */
export interface Runs {
  summaries(options?: RunSummaryOptions): PagePromise<RunSummary>;
  input(run: RunReference, options?: CallOptions): Promise<RunInput>;
  /** What a run would do and cost, and why it would be refused now. Nothing is stored or reserved. */
  check<const Data extends readonly unknown[]>(
    pipelineId: string,
    data: UncheckedData<Data>,
    options?: CallOptions,
  ): Promise<RunCheck>;
  check(pipelineId: string, data: PipelineData, options?: CallOptions): Promise<RunCheck>;
  /**
   * The changes of the project's runs as they happen, until the caller leaves the loop or aborts. Its first event is
   * `resync`, and another follows where changes were missed: list the runs then. A connection that ends is replaced, after
   * half a second at first and 30 s at most; only a refusal of the server is thrown.
   */
  changes(options?: ChangesOptions): AsyncGenerator<RunChange, void, undefined>;
}

export function createRuns(endpoint: Endpoint): Runs {
  return {
    summaries: (options = {}) => pagesOf(options, async (page) => await readSummaries(endpoint, page)),
    check: async (pipelineId: string, data: readonly unknown[], options: CallOptions = {}) =>
      await checkRun(endpoint, pipelineId, data, options),
    async input(run, { signal } = {}) {
      const path = `/v2/runs/${encodeURIComponent(runIdOf(run))}/input`;
      const raw = objectAt(await exchange(endpoint, { method: 'GET', path, signal }), 'an input');
      return { prompt: promptAt(raw.prompt), parameters: objectAt(raw.parameters, 'parameters') };
    },
    changes: (options = {}) => readChanges(endpoint, options),
  };
}

const ORDERS = {
  newest: 'created_at:desc',
  oldest: 'created_at:asc',
  slowest: 'compute_time_ms:desc',
  fastest: 'compute_time_ms:asc',
  largest: 'computed_tokens:desc',
  smallest: 'computed_tokens:asc',
} as const;

async function readSummaries(endpoint: Endpoint, options: RunSummaryOptions): Promise<Page<RunSummary>> {
  const { q, pipelineId, tokenId, states, createdAfter, createdBefore, order = 'newest', ...page } = options;
  const query = pageQuery(page);
  query.set('order_by', ORDERS[order]);
  const filters = {
    view: 'summary',
    q,
    pipeline_id: pipelineId,
    token_id: tokenId,
    state: states?.join(','),
    created_after: createdAfter?.toISOString(),
    created_before: createdBefore?.toISOString(),
  };
  for (const [name, value] of Object.entries(filters)) if (value !== undefined) query.set(name, value);
  const call: Call = { method: 'GET', path: `/v2/runs?${query}`, signal: options.signal };
  return pageOf(await exchange(endpoint, call), parseRunSummary);
}

const FIRST_WAIT_MS = 500;
const MAX_WAIT_MS = 30_000;

async function* readChanges(
  endpoint: Endpoint,
  { signal, onConnection }: ChangesOptions,
): AsyncGenerator<RunChange, void, undefined> {
  const call: Call = { method: 'GET', path: '/v2/events', accept: 'text/event-stream', signal };
  let waitMs = FIRST_WAIT_MS;
  for (;;) {
    try {
      const connection = await connect(endpoint, call);
      try {
        const parser = createSseParser();
        for await (const text of connection.texts()) {
          for (const { type, data } of parser.push(text)) {
            if (type === 'resync') {
              waitMs = FIRST_WAIT_MS;
              onConnection?.(true);
              yield { type };
            } else if (type === 'run') yield { type, run: parseRunSummary(readJson(data)) };
            else if (type === 'deleted') yield { type, id: stringAt(objectAt(readJson(data), type).id, 'id') };
          }
        }
      } finally {
        connection.close();
      }
    } catch (error) {
      const isLost = error instanceof ConnectionFailedError || error instanceof ServerError;
      if (!isLost && !(error instanceof RateLimitedError)) throw error;
    }
    onConnection?.(false);
    await pause(waitMs, signal);
    waitMs = Math.min(2 * waitMs, MAX_WAIT_MS);
  }
}

function promptAt(value: unknown): string | readonly number[] {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) throw unexpected('prompt', 'a string or token ids', value);
  return value.map((id) => numberAt(id, 'prompt'));
}

function parseRunSummary(reply: unknown): RunSummary {
  const raw = objectAt(reply, 'a summary of a run');
  const text = (value: unknown, field: string): string | null => orNull(value, (present) => stringAt(present, field));
  const date = (value: unknown, field: string): Date | null => orNull(value, (present) => dateAt(present, field));
  return {
    id: stringAt(raw.id, 'id'),
    runState: parseRunState(raw.run_state),
    createdAt: dateAt(raw.created_at, 'created_at'),
    startedAt: date(raw.started_at, 'started_at'),
    endedAt: date(raw.ended_at, 'ended_at'),
    pipelineId: stringAt(raw.pipeline_id, 'pipeline_id'),
    promptHead: text(raw.prompt_head, 'prompt_head'),
    outputHead: text(raw.output_head, 'output_head'),
    tokenId: text(raw.token_id, 'token_id'),
    tokenName: text(raw.token_name, 'token_name'),
    error: parseRunError(raw.error),
    exception: text(raw.exception, 'exception'),
    usage: parseUsage(raw.usage),
    timings: parseTimings(raw.timings),
    cost: parseCost(raw.cost),
    seed: orNull(raw.seed, (value) => numberAt(value, 'seed')),
    attempts: numberAt(raw.attempts, 'attempts'),
    asyncRun: raw.async_run === true,
  };
}
