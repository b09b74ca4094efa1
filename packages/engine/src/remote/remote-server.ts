/** Requests to the server of an engine. What passes by itself is tried again; what does not is a `ModelError` that says what to do. */
import { setTimeout as delay } from 'node:timers/promises';
import { ModelError } from '@gptj-cloud/model';
import { type RemoteAddress, type RemoteReply, type RemoteRequest, send, sendForJson, sendForText } from './http.ts';
import { RemoteFailure } from './remote-failure.ts';

export interface RemoteServerOptions {
  readonly address: RemoteAddress;
  /** Until `keepTrying`: longest time without a connection, or of replies 502 to 504, before a request fails. Default 5 minutes. */
  readonly outageMs?: number;
  /** Milliseconds, monotonic. Default `performance.now`. */
  readonly now?: () => number;
  /** Resolves after the time; rejects when the signal fires. Default: a timer. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly onWarning?: (message: string) => void;
}

const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 10_000;
/** A server that asks for a longer pause is asked again after this one. */
const MAX_RETRY_AFTER_MS = 60_000;
const HEALTH_MS = 5_000;

export class RemoteServer {
  readonly #address: RemoteAddress;
  #outageMs: number;
  readonly #now: () => number;
  readonly #sleep: NonNullable<RemoteServerOptions['sleep']>;
  readonly #onWarning: (message: string) => void;
  /** Since when no request has succeeded; null: the last one did. */
  #downSince: number | null = null;

  constructor(options: RemoteServerOptions) {
    this.#address = options.address;
    this.#outageMs = options.outageMs ?? 300_000;
    this.#now = options.now ?? (() => performance.now());
    this.#sleep =
      options.sleep ??
      (async (ms, signal) => {
        await delay(ms, undefined, { signal });
      });
    this.#onWarning = options.onWarning ?? (() => {});
  }

  get name(): string {
    return this.#address.url.href.replace(/\/$/, '');
  }

  /** Log a failure with the address, which the errors of clients do not have. */
  report(reason: string): void {
    this.#onWarning(`the server ${this.name} failed a generation: ${reason}`);
  }

  /** From now on outages are waited for, as long as a request may wait: it has done nothing wrong. */
  keepTrying(): void {
    this.#outageMs = Number.POSITIVE_INFINITY;
  }

  /** POST, until the head of a successful reply. Rejects with `RemoteFailure` for what will not pass. */
  async open(path: string, body: unknown, signal: AbortSignal): Promise<RemoteReply> {
    return await this.#retry((request) => send(this.#address, request), { method: 'POST', path, body, signal });
  }

  async json(request: RemoteRequest): Promise<unknown> {
    return await this.#retry((each) => sendForJson(this.#address, each), request);
  }

  /** Rejects with `RemoteFailure` when the server does not answer `/health` with success within a few seconds. */
  async checkHealth(): Promise<void> {
    const signal = AbortSignal.timeout(HEALTH_MS);
    try {
      await sendForText(this.#address, { method: 'GET', path: 'health', signal });
    } catch (error) {
      if (error instanceof RemoteFailure) throw error;
      throw new RemoteFailure('unreachable', `/health did not answer within ${HEALTH_MS / 1000} s`, { cause: error });
    }
  }

  /** Text of `GET /metrics`; null: the server has none. */
  async metrics(): Promise<string | null> {
    try {
      const signal = AbortSignal.timeout(HEALTH_MS);
      return await sendForText(this.#address, { method: 'GET', path: 'metrics', signal });
    } catch {
      return null;
    }
  }

  async #retry<T>(attempt: (request: RemoteRequest) => Promise<T>, request: RemoteRequest): Promise<T> {
    let pause = FIRST_PAUSE_MS;
    for (;;) {
      try {
        const result = await attempt(request);
        if (this.#downSince !== null) this.#onWarning(`the server ${this.name} answers again`);
        this.#downSince = null;
        return result;
      } catch (error) {
        if (!(error instanceof RemoteFailure) || !error.mayPass) throw error;
        this.#noteFailure(error);
        // At least the first pause: a server that says 0 would be asked without end.
        const ms = Math.max(error.retryAfterMs ?? pause, FIRST_PAUSE_MS);
        await this.#sleep(Math.min(ms, MAX_RETRY_AFTER_MS), request.signal);
        pause = Math.min(2 * pause, MAX_PAUSE_MS);
      }
    }
  }

  /** Throws the failure of an outage that lasts too long. A server that is busy answers: it is asked as long as the request may wait. */
  #noteFailure(failure: RemoteFailure): void {
    if (failure.kind === 'busy') return;
    const now = this.#now();
    if (this.#downSince === null) {
      this.#downSince = now;
      this.#onWarning(`the server ${this.name} does not answer: ${failure.message}`);
    }
    if (now - this.#downSince > this.#outageMs) throw failure;
  }
}

/**
 * The failure of a request as the error of a generation. `server`: its address, or what clients get in its place. `others`:
 * other generations were under way at the server.
 */
export function ofFailure(failure: RemoteFailure, server: string, others: boolean): ModelError {
  const { message } = failure;
  const options = { cause: failure };
  switch (failure.kind) {
    case 'refused':
      return /context length|max_model_len|maximum.{0,40}tokens/i.test(message)
        ? new ModelError('context_full', `the server ${server} refuses the length: ${message}`, options)
        : new ModelError('generation_impossible', `the server ${server} refuses the request: ${message}`, options);
    case 'unauthorised':
      return new ModelError(
        'model_unavailable',
        `the server ${server} refuses the key; set ENGINE_KEY: ${message}`,
        options,
      );
    case 'missing':
      return new ModelError(
        'model_unavailable',
        `the server ${server} no longer has the model; check what it serves and ENGINE_MODEL: ${message}`,
        options,
      );
    case 'busy':
    case 'down':
    case 'unreachable':
    case 'cut':
    case 'broken':
      return new ModelError(
        others ? 'engine_lost' : 'engine_failed',
        `the server ${server} failed: ${message}`,
        options,
      );
    default:
      return failure.kind satisfies never;
  }
}
