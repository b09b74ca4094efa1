import type { RunCreate } from '@gptj-cloud/protocol';
import { tokenAccess } from './access.ts';
import { cancelOnAbort, cancelRun, endOfStarted } from './cancellable-run.ts';
import { checkRetries, checkTimeout, chooseToken, chooseUrl, type PipelineCloudOptions } from './client-options.ts';
import type { Call, Endpoint } from './connection.ts';
import { PipelineApiError, WaitTimeoutError } from './errors.ts';
import { exchange, remove } from './exchange.ts';
import type { GenerateParameters } from './generate-parameters.ts';
import { type CallOptions, pageQuery } from './options.ts';
import { type PagePromise, pagesOf } from './pages.ts';
import { type GenerateDict, type GeneratedTexts, GPTJ_PIPELINE_ID } from './reply-types.ts';
import { type Admin, createAdmin } from './resources/admin.ts';
import { type Auth, createAuth } from './resources/auth.ts';
import { createEngineReports, type EngineReports } from './resources/engine.ts';
import { createDataSets, createFiles, type DataSets, type Files } from './resources/files.ts';
import { createLimitReports, type LimitReports } from './resources/limits.ts';
import { createMetrics, type Metrics } from './resources/metrics.ts';
import { createPipelines, createPipelineTags, type Pipelines, type PipelineTags } from './resources/pipelines.ts';
import { createPlans, type Plans } from './resources/plans.ts';
import { createPresets, type Presets } from './resources/presets.ts';
import { createInvitations, createProjects, type Invitations, type Projects } from './resources/projects.ts';
import { createRuns, type Runs } from './resources/runs.ts';
import { createServerReports, type ServerReports } from './resources/server.ts';
import { createTextTokens, type TextTokens } from './resources/tokenizer.ts';
import { createTokens, type Tokens } from './resources/tokens.ts';
import { createUsageReports, type UsageReports } from './resources/usage.ts';
import { createUsers, type Users } from './resources/users.ts';
import { createWebhooks, type Webhooks } from './resources/webhooks.ts';
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
import { createSessionAccess, type SessionAccess } from './session-access.ts';

const FIRST_POLL_MS = 100;

/**
 * Client of a gptj-cloud server. The constructor sends nothing, and a client holds no resource that needs closing.
 *
 * ```ts
 * const api = new PipelineCloud(); // reads PIPELINE_API_TOKEN and PIPELINE_API_URL
 * const text = await api.generate('I met a traveller from an antique land, who said', { max_new_tokens: 64 });
 * ```
 *
 * Every method rejects with a subclass of `PipelineApiError`. Every method takes a `signal`. Lists return a {@link PagePromise}.
 */
export class PipelineCloud {
  readonly tokens: Tokens;
  readonly usage: UsageReports;
  readonly plans: Plans;
  readonly limits: LimitReports;
  readonly metrics: Metrics;
  readonly files: Files;
  readonly data: DataSets;
  readonly webhooks: Webhooks;
  readonly projects: Projects;
  readonly invitations: Invitations;
  readonly users: Users;
  readonly admin: Admin;
  readonly pipelines: Pipelines;
  readonly tags: PipelineTags;
  /** Lists of runs without their results, and the inputs of runs. */
  readonly runs: Runs;
  readonly engine: EngineReports;
  readonly server: ServerReports;
  readonly presets: Presets;
  readonly text: TextTokens;
  /** Sign-in, registration and the security of the own account, for clients with a session. */
  readonly auth: Auth;
  /** The project that `projectId` or `withProject` has set. */
  readonly projectId: string | null;
  readonly #options: PipelineCloudOptions;
  readonly #session: SessionAccess | null;
  readonly #endpoint: Endpoint;

  /**
   * Throws `TypeError` for an invalid address, token, time or number of retries, and when there is no token. `parent` is a client
   * whose session this one shares, see {@link withProject}.
   */
  constructor(options: PipelineCloudOptions = {}, parent?: PipelineCloud) {
    this.#options = options;
    this.projectId = options.projectId ?? null;
    const session =
      options.session === true ? ((parent === undefined ? null : parent.#session) ?? createSessionAccess()) : null;
    this.#session = session;
    const endpoint: Endpoint = {
      access: session ?? tokenAccess(chooseToken(options)),
      projectId: this.projectId,
      url: chooseUrl(options),
      timeoutMs: checkTimeout(options.timeoutMs === undefined ? 60_000 : options.timeoutMs),
      maxRetries: checkRetries(options.maxRetries ?? 2),
      // In browsers `fetch` must be called on the global object.
      fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    };
    this.#endpoint = endpoint;
    this.tokens = createTokens(endpoint);
    this.usage = createUsageReports(endpoint);
    this.plans = createPlans(endpoint);
    this.limits = createLimitReports(endpoint);
    this.metrics = createMetrics(endpoint);
    this.files = createFiles(endpoint);
    this.data = createDataSets(endpoint);
    this.webhooks = createWebhooks(endpoint);
    this.projects = createProjects(endpoint);
    this.invitations = createInvitations(endpoint);
    this.users = createUsers(endpoint);
    this.admin = createAdmin(endpoint);
    this.pipelines = createPipelines(endpoint);
    this.tags = createPipelineTags(endpoint);
    this.runs = createRuns(endpoint);
    this.engine = createEngineReports(endpoint);
    this.server = createServerReports(endpoint);
    this.presets = createPresets(endpoint);
    this.text = createTextTokens(endpoint);
    this.auth = createAuth(endpoint, session);
  }

  /**
   * A client with the same session that acts in another project, by default the user's first one. It costs nothing. Throws
   * `TypeError` for a client with a token, which belongs to one project.
   */
  withProject(projectId: string | null): PipelineCloud {
    if (this.#options.session !== true)
      throw new TypeError('expected a client with a session: a token has one project');
    return new PipelineCloud({ ...this.#options, projectId }, this);
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

  /** Delete a file. Throws `ConflictError` for one that is data or the result of a run. */
  async deleteFile(fileId: string, options: CallOptions = {}): Promise<void> {
    await remove(this.#endpoint, `/v2/files/${encodeURIComponent(fileId)}`, options);
  }

  /** Delete data and their file. Throws `ConflictError` for data that are the input of a run. */
  async deleteData(dataId: string, options: CallOptions = {}): Promise<void> {
    await remove(this.#endpoint, `/v2/data/${encodeURIComponent(dataId)}`, options);
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
