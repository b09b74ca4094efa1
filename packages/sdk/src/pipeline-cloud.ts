import type { RunCreate, RunState } from '@gptj-cloud/protocol';
import { tokenAccess } from './access.ts';
import type { Call, Endpoint } from './connection.ts';
import { PipelineApiError, WaitTimeoutError } from './errors.ts';
import { exchange, remove } from './exchange.ts';
import type { Page } from './fields.ts';
import { type CallOptions, type ListOptions, pageQuery } from './options.ts';
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
import { hasEnded, parseFileBytes, parseRun, parseRunPage, type Run, throwIfFailed } from './run.ts';
import { followCall, openRunStream, type RunStream } from './run-stream.ts';
import { createSessionAccess, type SessionAccess } from './session-access.ts';

export interface ConnectionOptions {
  /** Address of the server. Default: that of the page with `session`, else `http://127.0.0.1:8080`. */
  readonly url?: string;
  /**
   * Maximum time until the first byte and between two bytes of a reply; null for no limit. Default 60 000. It does not limit
   * the length of a run: the server sends a byte every few seconds during the run.
   */
  readonly timeoutMs?: number | null;
  /**
   * Maximum number of retries of an idempotent request after 429, 503 or a broken connection. Default 2. Delays grow from
   * half a second to 8 s, and follow Retry-After up to a minute.
   */
  readonly maxRetries?: number;
  /** Default: the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch;
}

export interface TokenOptions extends ConnectionOptions {
  /** API token. */
  readonly token: string;
  readonly session?: undefined;
  readonly projectId?: undefined;
}

/** For pages in a browser, whose cookie proves who sends a request. Register or sign in with `auth`. */
export interface SessionOptions extends ConnectionOptions {
  readonly session: true;
  /** The project in which requests act. Default: the first one of the user. */
  readonly projectId?: string | null;
  readonly token?: undefined;
}

export type PipelineCloudOptions = TokenOptions | SessionOptions;

export interface RunOptions extends CallOptions {
  /**
   * Identifies this run: for a second request with the same key and input the server returns the existing run. 1 to 255
   * printable ASCII characters. Default: a new key for every call, so that retries do not run twice.
   */
  readonly idempotencyKey?: string;
}

export interface StreamOptions extends RunOptions {
  /**
   * The run outlives its stream: a dropped connection is resumed after the last event, and leaving early does not end the run
   * (`cancelRun` does). Default false: the server ends a run when its stream is closed.
   */
  readonly keepRunning?: boolean;
}

export interface WaitOptions extends CallOptions {
  /** Time limit, after which `WaitTimeoutError` is thrown. Default: none. */
  readonly waitMs?: number;
  /** Maximum time between two polls; the first ones are closer. Default 2000. */
  readonly pollMs?: number;
}

export interface ListRunsOptions extends ListOptions {
  /** Only runs of the pipeline with this id. */
  readonly pipelineId?: string;
  /** Only runs in this state. */
  readonly runState?: RunState;
}

const FIRST_POLL_MS = 100;

/**
 * Client of a gptj-cloud server. The constructor sends nothing, and a client holds no resource that needs closing.
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
 * Every method rejects with a subclass of `PipelineApiError`. Every method takes a `signal`.
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
   * Throws `TypeError` for an invalid address, token or number of retries. `parent` is a client whose session this one shares,
   * see {@link withProject}.
   */
  constructor(options: PipelineCloudOptions, parent?: PipelineCloud) {
    this.#options = options;
    this.projectId = options.projectId ?? null;
    const session =
      options.session === true ? ((parent === undefined ? null : parent.#session) ?? createSessionAccess()) : null;
    this.#session = session;
    const endpoint: Endpoint = {
      access: session ?? tokenAccess(checkToken(options.token)),
      projectId: this.projectId,
      url: checkUrl(options.url ?? (session === null ? 'http://127.0.0.1:8080' : pageOrigin())),
      timeoutMs: options.timeoutMs === undefined ? 60_000 : options.timeoutMs,
      maxRetries: checkCount(options.maxRetries ?? 2),
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
   * Run a pipeline and wait for its end. `pipelineId` is an id or a tag; `data` holds the pipeline's inputs as JSON, for
   * GPT-J the prompt and an object of parameters under their wire names.
   *
   * A failed run is returned like a complete one: `throwIfFailed(run)` throws for it. Aborting the call does not end the run.
   */
  async runPipeline(pipelineId: string, data: readonly unknown[], options: RunOptions = {}): Promise<Run> {
    return parseRun(await exchange(this.#endpoint, createCall({ pipeline_id: pipelineId, data }, options)));
  }

  /** Start a run and return it as it was accepted. `waitForRun` waits for its end, `followRun` streams its text. */
  async startRun(pipelineId: string, data: readonly unknown[], options: RunOptions = {}): Promise<Run> {
    const body: RunCreate = { pipeline_id: pipelineId, data, async_run: true };
    return parseRun(await exchange(this.#endpoint, createCall(body, options)));
  }

  /**
   * Run a pipeline and read its tokens while they are generated. The request is sent when the first event is read.
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
   * The events of a run from `startRun` or from a stream with `keepRunning`, from the first one on. Of other runs, and some
   * minutes after the end of a run, only the last event is available. Leaving early does not end the run.
   */
  followRun(runId: string, options: CallOptions = {}): RunStream {
    const call = followCall(runId, '', options.signal);
    return openRunStream({ endpoint: this.#endpoint, call, runId, canResume: true });
  }

  async getRun(runId: string, options: CallOptions = {}): Promise<Run> {
    return parseRun(await exchange(this.#endpoint, { method: 'GET', path: runPath(runId), signal: options.signal }));
  }

  /** Wait until the run has ended, complete or failed, by polling at growing intervals. */
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

  /** Cancel a waiting or running run and return it, as failed. A run that has ended is returned unchanged. */
  async cancelRun(runId: string, options: CallOptions = {}): Promise<Run> {
    const path = `${runPath(runId)}/cancel`;
    const call: Call = { method: 'POST', path, isIdempotent: true, signal: options.signal };
    return parseRun(await exchange(this.#endpoint, call));
  }

  /** Delete a run and its result. Throws `ConflictError` for a run that has not ended. */
  async deleteRun(runId: string, options: CallOptions = {}): Promise<void> {
    await remove(this.#endpoint, runPath(runId), options);
  }

  /** Delete a file. Throws `ConflictError` for one that is data or the result of a run. */
  async deleteFile(fileId: string, options: CallOptions = {}): Promise<void> {
    await remove(this.#endpoint, `/v2/files/${encodeURIComponent(fileId)}`, options);
  }

  /** Delete data and their file. Throws `ConflictError` for data that are the input of a run. */
  async deleteData(dataId: string, options: CallOptions = {}): Promise<void> {
    await remove(this.#endpoint, `/v2/data/${encodeURIComponent(dataId)}`, options);
  }

  /** Previews of more than 16 KiB are null in a list; `getRun` has them. */
  async listRuns(options: ListRunsOptions = {}): Promise<Page<Run>> {
    const query = pageQuery(options);
    if (options.pipelineId !== undefined) query.set('pipeline_id', options.pipelineId);
    if (options.runState !== undefined) query.set('run_state', options.runState);
    const call: Call = { method: 'GET', path: `/v2/runs?${query}`, signal: options.signal };
    return parseRunPage(await exchange(this.#endpoint, call));
  }

  /** All runs that `listRuns` would list, page after page. `limit` is the number of runs of one request, 100 by default. */
  async *eachRun(options: ListRunsOptions = {}): AsyncGenerator<Run, void, undefined> {
    let next: ListRunsOptions = { limit: 100, ...options };
    for (;;) {
      const { items, nextCursor } = await this.listRuns(next);
      yield* items;
      if (nextCursor === null) return;
      next = { ...next, skip: 0, cursor: nextCursor };
    }
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

function runPath(runId: string): string {
  return `/v2/runs/${encodeURIComponent(runId)}`;
}

function checkToken(token: string | undefined): string {
  if (token === undefined || !/^[\x21-\x7e]+$/.test(token))
    throw new TypeError('expected token to be printable ASCII without spaces');
  return token;
}

/** Pages of a server send their requests to it. */
function pageOrigin(): string {
  const page: { readonly origin: string } | undefined = globalThis.location;
  if (page !== undefined) return page.origin;
  throw new TypeError('expected url: a client with a session has a default address in browsers only');
}

function checkCount(maxRetries: number): number {
  if (Number.isSafeInteger(maxRetries) && maxRetries >= 0) return maxRetries;
  throw new TypeError(`expected maxRetries to be an integer of at least 0, got ${maxRetries}`);
}

function checkUrl(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || !['http:', 'https:'].includes(parsed.protocol)) {
    throw new TypeError(`expected url to be an http:// or https:// address, got ${JSON.stringify(url)}`);
  }
  if (parsed.username !== '' || parsed.password !== '' || parsed.search !== '' || parsed.hash !== '') {
    throw new TypeError('expected url without user name, query or fragment');
  }
  let end = parsed.href.length;
  while (parsed.href[end - 1] === '/') end--;
  return parsed.href.slice(0, end);
}
