/** The client of runs alone, which is the base of the client of the whole API. */
import type { RunCreate } from '@gptj-cloud/protocol';
import { type Access, tokenAccess } from './access.ts';
import { cancelOnAbort, cancelRun, endOfStarted } from './cancellable-run.ts';
import { checkRetries, checkTimeout, chooseToken, chooseUrl, type PipelineCloudOptions } from './client-options.ts';
import type { Call, Endpoint } from './connection.ts';
import { PipelineApiError, WaitTimeoutError } from './errors.ts';
import { exchange, remove } from './exchange.ts';
import type { GenerateParameters } from './generate-parameters.ts';
import { type CallOptions, pageQuery } from './options.ts';
import { type PagePromise, pagesOf } from './pages.ts';
import { type GenerateDict, type GeneratedTexts, GPTJ_PIPELINE_ID } from './reply-types.ts';
import { pause } from './retry.ts';
import { hasEnded, parseFileBytes, parseRun, parseRunPage, type Run, textsOf, throwIfFailed } from './run.ts';
import {
  type DictParameters,
  type PipelineData,
  type Prompt,
  type RunReference,
  runIdOf,
  type TextParameters,
  type UncheckedData,
} from './run-data.ts';
import type {
  AwaitOptions,
  GenerateOptions,
  ListRunsOptions,
  RunOptions,
  StreamOptions,
  WaitOptions,
} from './run-options.ts';
import { followCall, openRunStream, type RunStream } from './run-stream.ts';

const FIRST_POLL_MS = 100;

/** Endpoints by client: other modules of this package need them, and programs do not. */
const endpoints = new WeakMap<RunClient, Endpoint>();

export function endpointOf(client: RunClient): Endpoint {
  const endpoint = endpoints.get(client);
  if (endpoint === undefined) throw new TypeError('expected a client that was constructed');
  return endpoint;
}

/**
 * Generates text and reads runs. A page that only writes with the model loads 10 kB of code with it, compressed, instead of 15 kB
 * with `PipelineCloud`, which has the same calls and every other one of the API. The constructor sends nothing, and a client holds
 * no resource that needs closing.
 */
export class RunClient {
  /** The project that `projectId` or `withProject` has set; null for that of the token. */
  readonly projectId: string | null;
  readonly #endpoint: Endpoint;

  /** Throws `TypeError` for an invalid address, token, time or number of retries, and when there is no token. */
  constructor(options: PipelineCloudOptions = {}, access?: Access) {
    if (options.session === true && access === undefined)
      throw new TypeError('expected a token: sessions need PipelineCloud');
    this.projectId = options.projectId ?? null;
    this.#endpoint = {
      access: access ?? tokenAccess(chooseToken(options)),
      projectId: this.projectId,
      url: chooseUrl(options),
      timeoutMs: checkTimeout(options.timeoutMs === undefined ? 60_000 : options.timeoutMs),
      maxRetries: checkRetries(options.maxRetries ?? 2),
      onRetry: options.onRetry ?? (() => {}),
      // In browsers `fetch` must be called on the global object.
      fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    };
    endpoints.set(this, this.#endpoint);
  }

  /**
   * Generate text and return it: that of the first returned sequence, without the prompt unless `include_input` is true. An empty
   * object of parameters samples 20 tokens.
   *
   * ```ts
   * const text = await api.generate('Once upon a time', { max_new_tokens: 40, temperature: 0.8 });
   * ```
   *
   * Throws `RunFailedError` when the run fails, and `InvalidRequestError` for parameters that the server refuses. `runPipeline`
   * with `textsOf` returns all sequences and what the run cost.
   */
  async generate(
    prompt: Prompt,
    parameters: GenerateParameters = {},
    { pipelineId = GPTJ_PIPELINE_ID, ...options }: GenerateOptions = {},
  ): Promise<string> {
    const [first] = textsOf(await this.#run(pipelineId, [prompt, parameters], options));
    return first;
  }

  /**
   * Generate text and read it in pieces, as it is generated. Leaving the loop early, or aborting, ends the run.
   *
   * ```ts
   * for await (const piece of api.stream('Once upon a time', { max_new_tokens: 40 })) process.stdout.write(piece);
   * ```
   *
   * Throws what {@link RunStream.texts} throws. `streamPipeline` gives events with tokens and probabilities instead.
   */
  stream(
    prompt: Prompt,
    parameters: GenerateParameters = {},
    { pipelineId = GPTJ_PIPELINE_ID, ...options }: StreamOptions & { readonly pipelineId?: string } = {},
  ): AsyncIterable<string> {
    return this.#stream(pipelineId, [prompt, parameters], options).texts();
  }

  /**
   * Run a pipeline and wait for its end. `pipelineId` is an id or a tag; `data` are the prompt and an object of parameters.
   *
   * A failed run is returned like a complete one: `throwIfFailed(run)` throws for it, and so does `textsOf(run)`. Aborting the call
   * does not end the run, unless `cancelOnAbort` is set.
   */
  async runPipeline(
    pipelineId: string,
    data: PipelineData<DictParameters>,
    options?: AwaitOptions,
  ): Promise<Run<GenerateDict>>;
  async runPipeline(
    pipelineId: string,
    data: PipelineData<TextParameters>,
    options?: AwaitOptions,
  ): Promise<Run<GeneratedTexts>>;
  async runPipeline<const Data extends readonly unknown[]>(
    pipelineId: string,
    data: UncheckedData<Data>,
    options?: AwaitOptions,
  ): Promise<Run>;
  async runPipeline(pipelineId: string, data: PipelineData, options?: AwaitOptions): Promise<Run>;
  async runPipeline(pipelineId: string, data: readonly unknown[], options: AwaitOptions = {}): Promise<Run> {
    return await this.#run(pipelineId, data, options);
  }

  /** Start a run and return it as it was accepted. `waitForRun` waits for its end, `followRun` streams its text. */
  async startRun(
    pipelineId: string,
    data: PipelineData<DictParameters>,
    options?: RunOptions,
  ): Promise<Run<GenerateDict>>;
  async startRun(
    pipelineId: string,
    data: PipelineData<TextParameters>,
    options?: RunOptions,
  ): Promise<Run<GeneratedTexts>>;
  async startRun<const Data extends readonly unknown[]>(
    pipelineId: string,
    data: UncheckedData<Data>,
    options?: RunOptions,
  ): Promise<Run>;
  async startRun(pipelineId: string, data: PipelineData, options?: RunOptions): Promise<Run>;
  async startRun(pipelineId: string, data: readonly unknown[], options: RunOptions = {}): Promise<Run> {
    const body: RunCreate = { pipeline_id: pipelineId, data, async_run: true };
    return parseRun(await exchange(this.#endpoint, createCall(body, options)));
  }

  /**
   * Run a pipeline and read its tokens while they are generated. The request is sent when the first event is read.
   *
   * ```ts
   * for await (const event of api.streamPipeline(pipelineId, ['Once', {}])) if (event.type === 'token') show(event.tokens);
   * ```
   */
  streamPipeline<const Data extends readonly unknown[]>(
    pipelineId: string,
    data: UncheckedData<Data>,
    options?: StreamOptions,
  ): RunStream;
  streamPipeline(pipelineId: string, data: PipelineData, options?: StreamOptions): RunStream;
  streamPipeline(pipelineId: string, data: readonly unknown[], options: StreamOptions = {}): RunStream {
    return this.#stream(pipelineId, data, options);
  }

  /**
   * The events of a run from `startRun` or from a stream with `keepRunning`, from the first one on. Of other runs, and some
   * minutes after the end of a run, only the last event is available. Leaving early does not end the run.
   */
  followRun(run: RunReference, options: CallOptions = {}): RunStream {
    const runId = runIdOf(run);
    const call = followCall(runId, '', options.signal);
    return openRunStream({ endpoint: this.#endpoint, call, runId, canResume: true });
  }

  /** A run of the project. Throws `NotFoundError`. */
  async getRun(run: RunReference, options: CallOptions = {}): Promise<Run> {
    return parseRun(await exchange(this.#endpoint, { method: 'GET', path: runPath(run), signal: options.signal }));
  }

  /**
   * Wait until the run has ended, complete or failed, by polling at growing intervals. Throws `WaitTimeoutError` after `waitMs`;
   * the run continues.
   */
  async waitForRun(run: RunReference, options: WaitOptions = {}): Promise<Run> {
    const wait = async (): Promise<Run> => await this.#poll(run, options);
    return options.cancelOnAbort === true
      ? await cancelOnAbort(this.#endpoint, run, options.signal, wait)
      : await wait();
  }

  /** Cancel a waiting or running run and return it, as failed. A run that has ended is returned unchanged. */
  async cancelRun(run: RunReference, options: CallOptions = {}): Promise<Run> {
    return await cancelRun(this.#endpoint, run, options.signal);
  }

  /** Delete a run and its result. Throws `ConflictError` for a run that has not ended. */
  async deleteRun(run: RunReference, options: CallOptions = {}): Promise<void> {
    await remove(this.#endpoint, runPath(run), options);
  }

  /**
   * Runs of the project, newest first unless `order` says otherwise. Previews of more than 16 KiB are null in a list; `getRun` has
   * them.
   */
  listRuns(options: ListRunsOptions = {}): PagePromise<Run> {
    return pagesOf(options, async (page) => {
      const query = pageQuery(page);
      if (page.pipelineId !== undefined) query.set('pipeline_id', page.pipelineId);
      if (page.runState !== undefined) query.set('run_state', page.runState);
      const call: Call = { method: 'GET', path: `/v2/runs?${query}`, signal: page.signal };
      return parseRunPage(await exchange(this.#endpoint, call));
    });
  }

  /** All runs that `listRuns` would list, page after page. `limit` is the number of runs of one request, 100 by default. */
  async *eachRun(options: ListRunsOptions = {}): AsyncGenerator<Run, void, undefined> {
    yield* this.listRuns({ limit: 100, ...options });
  }

  /**
   * Download the result file: a Python pickle of the list of outputs. `resultPreview`, unless it is null, is the same value as
   * JSON. Throws `RunFailedError` for a failed run.
   */
  async downloadResult(run: Run, options: CallOptions = {}): Promise<Uint8Array> {
    const { result } = throwIfFailed(run);
    if (result === null) throw new PipelineApiError(`run ${run.id} has no result yet: it is ${run.runState}`);
    const path = `/v2/files/${encodeURIComponent(result.id)}?return_data=true`;
    return parseFileBytes(await exchange(this.#endpoint, { method: 'GET', path, signal: options.signal }));
  }

  async #run(pipelineId: string, data: readonly unknown[], options: AwaitOptions): Promise<Run> {
    const { cancelOnAbort: isCancelled = false, signal, ...rest } = options;
    const body: RunCreate = { pipeline_id: pipelineId, data };
    if (!isCancelled || signal === undefined) {
      return parseRun(await exchange(this.#endpoint, createCall(body, options)));
    }
    const start = async (): Promise<Run> =>
      parseRun(await exchange(this.#endpoint, createCall({ ...body, async_run: true }, rest)));
    return await endOfStarted(this.#endpoint, start, signal);
  }

  #stream(pipelineId: string, data: readonly unknown[], options: StreamOptions): RunStream {
    const canResume = options.keepRunning ?? false;
    const body: RunCreate = { pipeline_id: pipelineId, data, stream: true, async_run: canResume };
    const call: Call = { ...createCall(body, options), accept: 'text/event-stream' };
    return openRunStream({ endpoint: this.#endpoint, call, runId: null, canResume });
  }

  async #poll(reference: RunReference, { signal, waitMs, pollMs = 2000 }: WaitOptions): Promise<Run> {
    const start = performance.now();
    for (let interval = FIRST_POLL_MS; ; interval *= 1.5) {
      const run = await this.getRun(reference, { signal });
      if (hasEnded(run)) return run;
      const leftMs = waitMs === undefined ? Number.POSITIVE_INFINITY : waitMs - (performance.now() - start);
      if (leftMs <= 0) throw new WaitTimeoutError(run, waitMs ?? 0);
      await pause(Math.min(interval, pollMs, leftMs), signal);
    }
  }
}

function createCall(body: RunCreate, { idempotencyKey, signal }: RunOptions): Call {
  const headers = { 'idempotency-key': idempotencyKey ?? newKey() };
  return { method: 'POST', path: '/v2/runs', body, headers, isIdempotent: true, signal };
}

/** Not `randomUUID`: browsers have that on https only. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `sdk-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

function runPath(run: RunReference): string {
  return `/v2/runs/${encodeURIComponent(runIdOf(run))}`;
}
