import type { RunCreate, RunState } from '@gptj-cloud/protocol';
import type { Call, Endpoint } from './connection.ts';
import { PipelineApiError, WaitTimeoutError } from './errors.ts';
import { exchange, remove } from './exchange.ts';
import type { Page } from './fields.ts';
import { type CallOptions, type ListOptions, pageQuery } from './options.ts';
import { createPipelines, createPipelineTags, type Pipelines, type PipelineTags } from './resources/pipelines.ts';
import { createPlans, type Plans } from './resources/plans.ts';
import { createTokens, type Tokens } from './resources/tokens.ts';
import { createUsageReports, type UsageReports } from './resources/usage.ts';
import { pause } from './retry.ts';
import { hasEnded, parseFileBytes, parseRun, parseRunPage, type Run, throwIfFailed } from './run.ts';
import { followCall, openRunStream, type RunStream } from './run-stream.ts';

export interface PipelineCloudOptions {
  /** API token. */
  readonly token: string;
  /** Where the server is. Default `http://127.0.0.1:8080`. */
  readonly url?: string;
  /**
   * Longest silence, until the first byte and between two bytes of a reply; null waits for ever. Default 60 000. It does
   * not limit how long a run may take: the server sends something now and then while it works.
   */
  readonly timeoutMs?: number | null;
  /**
   * How often a request is sent again after 429, 503 or a broken connection, where that cannot do anything twice.
   * Default 2. Waits grow from half a second to 8 s, and follow Retry-After up to a minute.
   */
  readonly maxRetries?: number;
  /** Default: the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch;
}

export interface RunOptions extends CallOptions {
  /**
   * Names this run: asked for again with the same key and input, the server gives the run that is there. 1 to 255
   * printable ASCII characters. Default: a fresh one for every call, so that repetitions cannot run twice.
   */
  readonly idempotencyKey?: string;
}

export interface StreamOptions extends RunOptions {
  /**
   * The run outlives its stream: a dropped connection is taken up where it broke, and who leaves early leaves the run
   * going (`cancelRun` ends it). Default false: the server ends a run whose stream has gone.
   */
  readonly keepRunning?: boolean;
}

export interface WaitOptions extends CallOptions {
  /** Longest wait; then `WaitTimeoutError`. Default: none. */
  readonly waitMs?: number;
  /** Between two looks, at most: they begin closer. Default 2000. */
  readonly pollMs?: number;
}

export interface ListRunsOptions extends ListOptions {
  /** Runs of this pipeline alone: an id. */
  readonly pipelineId?: string;
  /** Runs in this state alone. */
  readonly runState?: RunState;
}

const FIRST_POLL_MS = 100;

/**
 * A gptj-cloud server. Constructing sends nothing, and nothing is held that needs closing.
 *
 * ```ts
 * const api = new PipelineCloud({ token: 'API_TOKEN' });
 * const run = await api.runPipeline('pipeline_d7502b78863744c495d7d22f321cf7ff', [
 *   'I met a traveller from an antique land, who said',
 *   { response_length: 64, remove_input: false },
 * ]);
 * console.log(run.resultPreview);
 * ```
 *
 * Every method rejects with a `PipelineApiError`: see its subclasses. Every method takes a `signal`.
 */
export class PipelineCloud {
  readonly tokens: Tokens;
  readonly usage: UsageReports;
  readonly plans: Plans;
  readonly pipelines: Pipelines;
  readonly tags: PipelineTags;
  readonly #endpoint: Endpoint;

  /** Throws `TypeError` for an address or a token that cannot work. */
  constructor(options: PipelineCloudOptions) {
    const endpoint: Endpoint = {
      token: checkToken(options.token),
      url: checkUrl(options.url ?? 'http://127.0.0.1:8080'),
      timeoutMs: options.timeoutMs === undefined ? 60_000 : options.timeoutMs,
      maxRetries: checkCount(options.maxRetries ?? 2),
      // Browsers' fetch insists on being called as a function of the window.
      fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    };
    this.#endpoint = endpoint;
    this.tokens = createTokens(endpoint);
    this.usage = createUsageReports(endpoint);
    this.plans = createPlans(endpoint);
    this.pipelines = createPipelines(endpoint);
    this.tags = createPipelineTags(endpoint);
  }

  /**
   * Run a pipeline and wait for its end. `pipelineId` is an id or a tag; `data` holds the pipeline's inputs as JSON, for
   * GPT-J the prompt and an object of parameters under their wire names.
   *
   * A run that failed is returned like any other: `throwIfFailed(run)` throws for it. A call that is aborted leaves the
   * run going.
   */
  async runPipeline(pipelineId: string, data: readonly unknown[], options: RunOptions = {}): Promise<Run> {
    return parseRun(await exchange(this.#endpoint, createCall({ pipeline_id: pipelineId, data }, options)));
  }

  /** Hand in a run and return it as it was accepted: `waitForRun` gives its end, `followRun` its text as it grows. */
  async startRun(pipelineId: string, data: readonly unknown[], options: RunOptions = {}): Promise<Run> {
    const body: RunCreate = { pipeline_id: pipelineId, data, async_run: true };
    return parseRun(await exchange(this.#endpoint, createCall(body, options)));
  }

  /**
   * Run a pipeline and read its tokens as they are generated. The run is handed in when the first event is asked for.
   *
   * ```ts
   * for await (const text of api.streamPipeline(pipelineId, ['Once', {}]).texts()) show(text);
   * ```
   */
  streamPipeline(pipelineId: string, data: readonly unknown[], options: StreamOptions = {}): RunStream {
    const canResume = options.keepRunning ?? false;
    const body: RunCreate = { pipeline_id: pipelineId, data, stream: true, async_run: canResume };
    const call: Call = { ...createCall(body, options), accept: 'text/event-stream' };
    return openRunStream({ endpoint: this.#endpoint, call, runId: null, canResume });
  }

  /**
   * The events of a run that was made by `startRun` or by a stream with `keepRunning`, from the first on; of others, and
   * some minutes after its end, only the end. Leaving early leaves the run as it is.
   */
  followRun(runId: string, options: CallOptions = {}): RunStream {
    const call = followCall(runId, '', options.signal);
    return openRunStream({ endpoint: this.#endpoint, call, runId, canResume: true });
  }

  async getRun(runId: string, options: CallOptions = {}): Promise<Run> {
    return parseRun(await exchange(this.#endpoint, { method: 'GET', path: runPath(runId), signal: options.signal }));
  }

  /** The run when it has ended, complete or failed. Asks again and again, less often as time goes by. */
  async waitForRun(runId: string, { signal, waitMs, pollMs = 2000 }: WaitOptions = {}): Promise<Run> {
    const start = performance.now();
    for (let interval = FIRST_POLL_MS; ; interval *= 1.5) {
      const run = await this.getRun(runId, { signal });
      if (hasEnded(run)) return run;
      const leftMs = waitMs === undefined ? Number.POSITIVE_INFINITY : waitMs - (performance.now() - start);
      if (leftMs <= 0) throw new WaitTimeoutError(run, waitMs ?? 0);
      await pause(Math.min(interval, pollMs, leftMs), signal);
    }
  }

  /** End a run as failed, wherever it is, and return it. One that has ended stays as it is. */
  async cancelRun(runId: string, options: CallOptions = {}): Promise<Run> {
    const path = `${runPath(runId)}/cancel`;
    const call: Call = { method: 'POST', path, isIdempotent: true, signal: options.signal };
    return parseRun(await exchange(this.#endpoint, call));
  }

  /** Remove a run and its result. Throws `ConflictError` for one that has not ended. */
  async deleteRun(runId: string, options: CallOptions = {}): Promise<void> {
    await remove(this.#endpoint, runPath(runId), options.signal);
  }

  async listRuns(options: ListRunsOptions = {}): Promise<Page<Run>> {
    const query = pageQuery(options);
    if (options.pipelineId !== undefined) query.set('pipeline_id', options.pipelineId);
    if (options.runState !== undefined) query.set('run_state', options.runState);
    const call: Call = { method: 'GET', path: `/v2/runs?${query}`, signal: options.signal };
    return parseRunPage(await exchange(this.#endpoint, call));
  }

  /**
   * The result's file: a Python pickle of the list of outputs. Where `resultPreview` is not null it says the same as
   * JSON, and needs no pickle reader. Throws `RunFailedError` for a failed run.
   */
  async downloadResult(run: Run, options: CallOptions = {}): Promise<Uint8Array> {
    const { result } = throwIfFailed(run);
    if (result === null) throw new PipelineApiError(`run ${run.id} has no result yet: it is ${run.runState}`);
    const path = `/v2/files/${encodeURIComponent(result.id)}?return_data=true`;
    return parseFileBytes(await exchange(this.#endpoint, { method: 'GET', path, signal: options.signal }));
  }
}

function createCall(body: RunCreate, { idempotencyKey, signal }: RunOptions): Call {
  const headers = { 'idempotency-key': idempotencyKey ?? newKey() };
  return { method: 'POST', path: '/v2/runs', body, headers, isIdempotent: true, signal };
}

/** Not `randomUUID`: browsers have that on https alone. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `sdk-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

function runPath(runId: string): string {
  return `/v2/runs/${encodeURIComponent(runId)}`;
}

function checkToken(token: string): string {
  if (!/^[\x21-\x7e]+$/.test(token)) throw new TypeError('expected token to be printable ASCII without blanks');
  return token;
}

function checkCount(maxRetries: number): number {
  if (Number.isSafeInteger(maxRetries) && maxRetries >= 0) return maxRetries;
  throw new TypeError(`expected maxRetries to be a count from 0, got ${maxRetries}`);
}

function checkUrl(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || !['http:', 'https:'].includes(parsed.protocol)) {
    throw new TypeError(`expected url to be an http:// or https:// address, got ${JSON.stringify(url)}`);
  }
  if (parsed.username !== '' || parsed.password !== '' || parsed.search !== '' || parsed.hash !== '') {
    throw new TypeError('expected url without user name, query or fragment');
  }
  return parsed.href.replace(/\/+$/, '');
}
