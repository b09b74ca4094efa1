/** One model of a host: its state, the leases on its engine, and the callers that wait for it. */
import { ModelError } from '@gptj-cloud/model';
import { type AdapterFile, adaptersFor } from '../adapters/adapter-file.ts';
import type { Engine, EngineInfo, GenerationEvent, GenerationRequest } from '../engine.ts';
import { type EngineStats, IDLE_STATS } from '../engine-stats.ts';

/** A model that a host can load. */
export interface HostModel {
  /** Unique in its host. */
  readonly name: string;
  /** As far as the file says, before it is loaded. */
  readonly info: EngineInfo;
  /** Memory that it takes while it is loaded. */
  readonly bytes: number;
  /** Load it. Throws `ModelError`, or any other error with a message for the operator. */
  readonly open: (loading: ModelLoading) => Promise<Engine>;
}

export interface ModelLoading {
  /** Fires when the host is closed. */
  readonly signal: AbortSignal;
  /** The share of the weights that is loaded. */
  readonly onProgress: (share: number) => void;
}

/** What a model is doing. `evicted`: it was loaded before. */
export type HostedState = 'unloaded' | 'loading' | 'loaded' | 'closing' | 'evicted' | 'failed';

export interface HostedStatus {
  readonly state: HostedState;
  /** Since when. */
  readonly since: Date;
  /** The share of the weights that is loaded; null unless it is loading. */
  readonly progress: number | null;
  /** Why it could not be loaded, for the operator: it may name files; null unless that failed. */
  readonly reason: string | null;
  /** Memory that it takes, or would take. */
  readonly bytes: number;
  /** Generations and other users of its engine. */
  readonly running: number;
  /** Callers that wait until it is loaded. */
  readonly waiting: number;
}

/** A right to use the engine of a loaded model, until it is released. */
export interface ModelLease {
  readonly engine: Engine;
  /** Idempotent. */
  release(): void;
}

export interface LeaseOptions {
  readonly signal?: AbortSignal;
  /** Longest time to wait. Default: no limit. */
  readonly maxMs?: number;
}

interface Waiter {
  readonly since: number;
  readonly grant: () => void;
  readonly refuse: (error: unknown) => void;
}

/** What a model needs of its host. */
export interface HostPort {
  readonly now: () => number;
  readonly clock: () => Date;
  /** How long a failed load is not repeated. */
  readonly retryMs: number;
  /** A caller began or ceased to wait, or the last lease was released. */
  onDemand(): void;
  onChange(model: HostedModel): void;
}

export class HostedModel {
  readonly name: string;
  readonly bytes: number;
  /** The engine of the model, which loads it on demand. `info` is of the engine that was loaded last. */
  readonly engine: Engine;
  readonly #model: HostModel;
  readonly #port: HostPort;
  readonly #waiters = new Set<Waiter>();
  #state: HostedState = 'unloaded';
  #since: Date;
  #progress: number | null = null;
  #failure: ModelError | null = null;
  #reason: string | null = null;
  #opened: Engine | null = null;
  #info: EngineInfo;
  /** Set while it serves; null: those with which it is opened. */
  #adapters: readonly AdapterFile[] | null = null;
  #leases = 0;
  #holds = 0;
  /** It grants no leases because another model waits for its memory. */
  #yields = false;
  /** Its host no longer has it. */
  #isRetired = false;
  #lastUsedAt = 0;
  #loadedAt = 0;
  #failedAt = 0;
  #loadMs = 0;

  constructor(model: HostModel, port: HostPort) {
    this.name = model.name;
    this.bytes = model.bytes;
    this.#model = model;
    this.#info = model.info;
    this.#port = port;
    this.#since = port.clock();
    const hosted = this;
    this.engine = {
      get info() {
        return hosted.#info;
      },
      generate: (request, signal) => this.#generate(request, signal),
      stats: () => this.#stats(),
      setAdapters: (files) => this.#setAdapters(files),
      // The host closes engines.
      close: async () => {},
    };
  }

  status(): HostedStatus {
    return {
      state: this.#state,
      since: this.#since,
      progress: this.#progress,
      reason: this.#reason,
      bytes: this.bytes,
      running: this.#leases,
      waiting: this.#waiters.size,
    };
  }

  /** Whether a lease would be granted at once. */
  get isReady(): boolean {
    return this.#state === 'loaded' && !this.#yields && !this.#isRetired;
  }

  /**
   * A lease on the engine, which is loaded first where it is not. Throws `ModelError`: `model_unavailable` when it cannot
   * be loaded, `queue_timed_out`, `aborted`, `closed`.
   */
  async lease({ signal, maxMs }: LeaseOptions = {}): Promise<ModelLease> {
    if (signal?.aborted) throw cancelled();
    if (this.#isRetired) throw retired(this.name);
    return this.#take() ?? (await this.#wait(signal, maxMs));
  }

  /** Keep it loaded for its turn, also while it has no lease. Call what it returns when that is over. */
  hold(): () => void {
    this.#holds++;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#holds--;
      this.#port.onDemand();
    };
  }

  get state(): HostedState {
    return this.#state;
  }

  /** Whether callers get the error of its last load, which is repeated later. */
  get isRefused(): boolean {
    return this.#state === 'failed' && this.#port.now() - this.#failedAt < this.#port.retryMs;
  }

  /** When its turn began. */
  get loadedAt(): number {
    return this.#loadedAt;
  }

  get lastUsedAt(): number {
    return this.#lastUsedAt;
  }

  /** What its last load took. */
  get loadMs(): number {
    return this.#loadMs;
  }

  /** Since when the caller waits that has waited longest; null: none waits. */
  get waitingSince(): number | null {
    for (const { since } of this.#waiters) return since;
    return null;
  }

  get isInUse(): boolean {
    return this.#leases > 0;
  }

  /** It has no lease, no hold and no caller that waits. */
  get isIdle(): boolean {
    return this.#leases === 0 && this.#holds === 0 && this.#waiters.size === 0;
  }

  /** Set whether it grants leases; callers that wait are granted theirs when it does. */
  setYields(yields: boolean): void {
    this.#yields = yields;
    this.#grant();
  }

  /** Grant no more leases, and end the callers that wait for one. */
  retire(): void {
    this.#isRetired = true;
    this.refuse(retired(this.name));
  }

  /** Load it. Never rejects: a failure is given to those who wait. */
  async load(signal: AbortSignal): Promise<void> {
    const startedAt = this.#port.now();
    this.#failure = null;
    this.#reason = null;
    this.#progress = 0;
    this.#enter('loading');
    try {
      const engine = await this.#model.open({
        signal,
        onProgress: (share) => {
          this.#progress = share;
        },
      });
      this.#loadMs = this.#port.now() - startedAt;
      this.#loadedAt = this.#port.now();
      this.#lastUsedAt = this.#loadedAt;
      // They may change meanwhile.
      for (let files: readonly AdapterFile[] | null = null; files !== this.#adapters; ) {
        files = this.#adapters;
        await engine.setAdapters?.(files ?? []);
      }
      this.#opened = engine;
      this.#info = engine.info;
      this.#progress = null;
      this.#enter('loaded');
      this.#grant();
    } catch (cause) {
      this.#progress = null;
      this.fail(cause);
    }
  }

  /** It cannot be loaded. */
  fail(cause: unknown): void {
    this.#reason = cause instanceof Error ? cause.message : String(cause);
    const isClosed = cause instanceof ModelError && cause.code === 'closed';
    // Clients read the message: what names files of the server is in its cause.
    this.#failure = isClosed
      ? cause
      : new ModelError('model_unavailable', `the model ${this.name} could not be loaded`, { cause });
    this.#failedAt = this.#port.now();
    this.#enter('failed');
    this.refuse(this.#failure);
  }

  /** The error of its last load, for callers that come soon after it. */
  get failure(): ModelError | null {
    return this.#failure;
  }

  /** Reject every caller that waits. */
  refuse(error: unknown): void {
    for (const waiter of [...this.#waiters]) waiter.refuse(error);
  }

  /** Close the engine. Rejects when that fails; its memory counts as free all the same. */
  async unload(): Promise<void> {
    const engine = this.#opened;
    this.#opened = null;
    this.#enter('closing');
    try {
      await engine?.close();
    } finally {
      this.#yields = false;
      this.#enter('evicted');
    }
  }

  #enter(state: HostedState): void {
    this.#state = state;
    this.#since = this.#port.clock();
    this.#port.onChange(this);
  }

  #take(): ModelLease | null {
    const engine = this.#opened;
    if (engine === null || !this.isReady) return null;
    this.#leases++;
    this.#lastUsedAt = this.#port.now();
    let isHeld = true;
    return {
      engine,
      release: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#leases--;
        this.#lastUsedAt = this.#port.now();
        if (this.#leases === 0) this.#port.onDemand();
      },
    };
  }

  #wait(signal: AbortSignal | undefined, maxMs: number | undefined): Promise<ModelLease> {
    return new Promise((resolve, reject) => {
      const since = this.#port.now();
      let timer: NodeJS.Timeout | undefined;
      const leave = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#waiters.delete(waiter);
      };
      const waiter: Waiter = {
        since,
        grant: () => {
          const lease = this.#take();
          if (lease === null) return;
          leave();
          resolve(lease);
        },
        refuse: (error) => {
          leave();
          reject(error);
        },
      };
      const onAbort = (): void => {
        waiter.refuse(cancelled());
        this.#port.onDemand();
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      if (maxMs !== undefined) {
        timer = setTimeout(() => {
          const message = `the generation waited for ${Math.round(maxMs / 1000)} s for the model ${this.name} to be loaded`;
          waiter.refuse(new ModelError('queue_timed_out', message));
          this.#port.onDemand();
        }, maxMs);
      }
      this.#waiters.add(waiter);
      this.#port.onDemand();
    });
  }

  #grant(): void {
    if (this.isReady) for (const waiter of [...this.#waiters]) waiter.grant();
  }

  async *#generate(request: GenerationRequest, signal?: AbortSignal): AsyncGenerator<GenerationEvent> {
    const { maxQueueMs: maxMs } = request;
    const askedAt = this.#port.now();
    const lease =
      this.#take() ??
      (await this.lease({ ...(signal === undefined ? {} : { signal }), ...(maxMs === undefined ? {} : { maxMs }) }));
    try {
      const waitedMs = this.#port.now() - askedAt;
      if (waitedMs < 1) {
        yield* lease.engine.generate(request, signal);
        return;
      }
      const rest = maxMs === undefined ? request : { ...request, maxQueueMs: Math.max(1, maxMs - waitedMs) };
      for await (const event of lease.engine.generate(rest, signal)) yield later(event, waitedMs);
    } finally {
      lease.release();
    }
  }

  async #setAdapters(files: readonly AdapterFile[]): Promise<void> {
    this.#adapters = files;
    const engine = this.#opened;
    if (engine !== null) {
      await engine.setAdapters?.(files);
      if (engine === this.#opened) this.#info = engine.info;
      return;
    }
    // Where it is loading, it takes them when it is loaded.
    const adapters = adaptersFor(this.#info.config, files).map(({ name }) => name);
    if (adapters.join() !== this.#info.adapters.join()) this.#info = { ...this.#info, adapters };
  }

  async #stats(): Promise<EngineStats> {
    if (this.#failure !== null) throw this.#failure;
    return (await this.#opened?.stats?.()) ?? IDLE_STATS;
  }
}

/** An event of a generation that waited before it was sent to its engine. */
function later(event: GenerationEvent, waitedMs: number): GenerationEvent {
  if (event.type === 'tokens' && event.atMs !== undefined) return { ...event, atMs: event.atMs + waitedMs };
  if (event.type !== 'finished') return event;
  return { ...event, usage: { ...event.usage, queueMs: event.usage.queueMs + waitedMs } };
}

function cancelled(): ModelError {
  return new ModelError('aborted', 'the generation was cancelled before it began');
}

function retired(name: string): ModelError {
  return new ModelError('model_unavailable', `the model ${name} is no longer served`);
}
