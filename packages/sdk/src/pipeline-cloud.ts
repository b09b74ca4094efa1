import type { RunCreate } from '@gptj-cloud/protocol';
import { PipelineApiError } from './errors.ts';
import { type Call, type Endpoint, exchange } from './exchange.ts';
import { parseFileBytes, parseRun, parseRunPage, type Run, type RunPage, throwIfFailed } from './run.ts';

export interface PipelineCloudOptions {
  /** API token. */
  readonly token: string;
  /** Where the server is. Default `http://127.0.0.1:8080`. */
  readonly url?: string;
  /**
   * Longest silence, until the first byte and between two bytes of a reply; null waits for ever. Default 60 000. It does
   * not limit how long a run may take: the server sends a blank now and then while it works.
   */
  readonly timeoutMs?: number | null;
  /** Default: the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch;
}

export interface CallOptions {
  /** Ends the call; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface ListRunsOptions extends CallOptions {
  /** Runs to leave out, newest first. Default 0. */
  readonly skip?: number;
  /** Runs to give at most. Default 20. */
  readonly limit?: number;
}

/**
 * A gptj-cloud server. Constructing sends nothing, no request is repeated by itself, nothing is held that needs closing.
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
 * Every method rejects with a `PipelineApiError`: see its subclasses.
 */
export class PipelineCloud {
  readonly #endpoint: Endpoint;

  /** Throws `TypeError` for an address or a token that cannot work. */
  constructor(options: PipelineCloudOptions) {
    this.#endpoint = {
      token: checkToken(options.token),
      url: checkUrl(options.url ?? 'http://127.0.0.1:8080'),
      timeoutMs: options.timeoutMs === undefined ? 60_000 : options.timeoutMs,
      // Browsers' fetch insists on being called as a function of the window.
      fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    };
  }

  /**
   * Run a pipeline and wait for its end. `pipelineId` is an id or a tag; `data` holds the pipeline's inputs as JSON, for
   * GPT-J the prompt and an object of parameters under their wire names.
   *
   * A run that failed is returned like any other: `throwIfFailed(run)` throws for it.
   */
  async runPipeline(pipelineId: string, data: readonly unknown[], options: CallOptions = {}): Promise<Run> {
    const body = { pipeline_id: pipelineId, data } satisfies RunCreate;
    return parseRun(await this.#call({ method: 'POST', path: '/v2/runs', body, signal: options.signal }));
  }

  async getRun(runId: string, options: CallOptions = {}): Promise<Run> {
    const path = `/v2/runs/${encodeURIComponent(runId)}`;
    return parseRun(await this.#call({ method: 'GET', path, signal: options.signal }));
  }

  /** Newest first. */
  async listRuns(options: ListRunsOptions = {}): Promise<RunPage> {
    const query = new URLSearchParams({
      limit: String(options.limit ?? 20),
      skip: String(options.skip ?? 0),
      order_by: 'created_at:desc',
    });
    return parseRunPage(await this.#call({ method: 'GET', path: `/v2/runs?${query}`, signal: options.signal }));
  }

  /**
   * The result's file: a Python pickle of the list of outputs. Where `resultPreview` is not null it says the same as
   * JSON, and needs no pickle reader. Throws `RunFailedError` for a failed run.
   */
  async downloadResult(run: Run, options: CallOptions = {}): Promise<Uint8Array> {
    const { result } = throwIfFailed(run);
    if (result === null) throw new PipelineApiError(`run ${run.id} has no result yet: it is ${run.runState}`);
    const path = `/v2/files/${encodeURIComponent(result.id)}?return_data=true`;
    return parseFileBytes(await this.#call({ method: 'GET', path, signal: options.signal }));
  }

  #call(call: Call): Promise<unknown> {
    return exchange(this.#endpoint, call);
  }
}

function checkToken(token: string): string {
  if (!/^[\x21-\x7e]+$/.test(token)) throw new TypeError('expected token to be printable ASCII without blanks');
  return token;
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
