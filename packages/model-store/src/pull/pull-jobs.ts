/**
 * Pulls that a server makes for its owners, one at a time: started, watched, cancelled.
 *
 * States: **running** → **stored** | **failed** | **cancelled**. Ended ones are kept for a while, to be looked at. They end with
 * the process; what was downloaded stays on the disk, and the same pull goes on there.
 *
 * Only names of the configured hub are accepted: an address could be any service in the network of the server, and a path any
 * file on it.
 */
import { randomBytes } from 'node:crypto';
import type { Recipe } from '@gptj-cloud/checkpoint';
import { parseModelAddress } from '../hub/model-address.ts';
import { errnoOf, ModelStoreError, type ModelStoreErrorCode } from '../model-store-error.ts';
import { isModelName, type ModelSource } from '../store/model-record.ts';
import type { StoredModel } from '../store/model-store.ts';
import type { PullEvent } from './pull-events.ts';
import { pullModel } from './pull-model.ts';
import type { PullOptions } from './pull-options.ts';

export interface PullRequest {
  /** `gpt-j-6b` or `owner/name@revision`. */
  readonly from: string;
  /** Name in the store; null: made from the source. */
  readonly name: string | null;
  /** Null: the best that fits into the memory. */
  readonly type: Recipe | null;
}

export interface PullJob extends PullRequest {
  readonly id: string;
  readonly state: 'running' | 'stored' | 'failed' | 'cancelled';
  readonly phase: 'preparing' | 'downloading' | 'converting';
  /** Of the phase. Bytes of a download are safe on the disk, and never become fewer. */
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** Where the phase's first bytes were done before: for a rate. */
  readonly phaseStartedAt: Date;
  readonly phaseStartBytes: number;
  readonly source: ModelSource | null;
  /** The type that was chosen, and why. */
  readonly plan: { readonly type: Recipe; readonly reason: string; readonly fileBytes: number } | null;
  /** Why it pauses, while it does. */
  readonly waiting: string | null;
  readonly warnings: readonly string[];
  readonly error: { readonly code: ModelStoreErrorCode | 'failed'; readonly message: string } | null;
  readonly model: StoredModel | null;
  readonly startedAt: Date;
  readonly endedAt: Date | null;
}

/** Reads the states of one pull: the newest each time, so that a slow reader holds nothing up. */
export interface PullWatch {
  /** Waits for the next state; null after the last one. */
  next(): Promise<PullJob | null>;
  close(): void;
}

export interface PullJobs {
  /** The newest first. */
  list(): readonly PullJob[];
  get(id: string): PullJob | null;
  /**
   * Throws `address_invalid`, and `in_use` while another one runs. Nothing is requested before `onAccepted` resolves; where it
   * rejects, there is no pull.
   */
  start(request: PullRequest, onAccepted?: (job: PullJob) => Promise<void>): Promise<PullJob>;
  /** Resolves when it has ended; null for an unknown id. */
  cancel(id: string): Promise<PullJob | null>;
  /** Begins with the present state; null for an unknown id. */
  watch(id: string): PullWatch | null;
  /** End the running pull. Idempotent. */
  close(): Promise<void>;
}

export interface PullJobsOptions {
  readonly pull: Omit<PullOptions, 'from' | 'name' | 'type' | 'onEvent' | 'signal' | 'machine' | 'gpu'>;
  /** Read when a pull starts. */
  readonly machine: () => PullOptions['machine'];
  readonly gpu?: (signal: AbortSignal) => Promise<NonNullable<PullOptions['gpu']> | null>;
  readonly clock: () => Date;
  /** For the operator: a pull that failed for another reason than a `ModelStoreError`. */
  readonly onFailure: (error: unknown) => void;
}

const MAX_KEPT = 20;
const MAX_WARNINGS = 20;

interface Entry {
  job: PullJob;
  version: number;
  readonly abort: AbortController;
  /** Called once at the next change. */
  readonly waiting: Set<() => void>;
  ended: Promise<void>;
}

export function createPullJobs(options: PullJobsOptions): PullJobs {
  const { clock } = options;
  const entries = new Map<string, Entry>();
  let isClosed = false;

  const update = (entry: Entry, change: Partial<PullJob>): void => {
    entry.job = { ...entry.job, ...change };
    entry.version++;
    for (const wake of entry.waiting) wake();
    entry.waiting.clear();
  };

  const run = async (entry: Entry): Promise<void> => {
    const { from, name, type } = entry.job;
    const { signal } = entry.abort;
    try {
      const model = await pullModel({
        ...options.pull,
        from,
        name,
        type,
        machine: options.machine(),
        gpu: (await options.gpu?.(signal)) ?? null,
        onEvent: (event) => update(entry, changeOf(entry.job, event, clock())),
        signal,
      });
      update(entry, { state: 'stored', model, waiting: null, endedAt: clock() });
    } catch (error) {
      if (signal.aborted) {
        update(entry, { state: 'cancelled', waiting: null, endedAt: clock() });
        return;
      }
      if (codeOf(error) === 'failed') options.onFailure(error);
      update(entry, {
        state: 'failed',
        waiting: null,
        error: { code: codeOf(error), message: messageOf(error) },
        endedAt: clock(),
      });
    }
  };

  return {
    list: () => [...entries.values()].map(({ job }) => job).toReversed(),
    get: (id) => entries.get(id)?.job ?? null,
    async start(request, onAccepted = async () => {}) {
      checkRequest(request);
      const running = [...entries.values()].find(({ job }) => job.state === 'running');
      if (running !== undefined || isClosed) {
        const other = running === undefined ? 'the server is closing' : `${running.job.from} is being pulled`;
        throw new ModelStoreError('in_use', `${other}: a server makes one pull at a time`);
      }
      const startedAt = clock();
      const entry: Entry = {
        job: {
          ...request,
          id: `pull_${randomBytes(16).toString('hex')}`,
          state: 'running',
          phase: 'preparing',
          doneBytes: 0,
          totalBytes: 0,
          phaseStartedAt: startedAt,
          phaseStartBytes: 0,
          source: null,
          plan: null,
          waiting: null,
          warnings: [],
          error: null,
          model: null,
          startedAt,
          endedAt: null,
        },
        version: 0,
        abort: new AbortController(),
        waiting: new Set(),
        ended: Promise.resolve(),
      };
      entries.set(entry.job.id, entry);
      const accepted = onAccepted(entry.job);
      entry.ended = accepted.then(
        () => run(entry),
        () => void entries.delete(entry.job.id),
      );
      await accepted;
      for (const id of [...entries.keys()].slice(0, -MAX_KEPT)) entries.delete(id);
      return entry.job;
    },
    async cancel(id) {
      const entry = entries.get(id);
      if (entry === undefined) return null;
      if (entry.job.state === 'running') entry.abort.abort();
      await entry.ended;
      return entry.job;
    },
    watch(id) {
      const entry = entries.get(id);
      return entry === undefined ? null : watchEntry(entry);
    },
    async close() {
      isClosed = true;
      for (const { job, abort } of entries.values()) if (job.state === 'running') abort.abort();
      await Promise.all([...entries.values()].map(({ ended }) => ended));
    },
  };
}

function watchEntry(entry: Entry): PullWatch {
  let seen = -1;
  let isClosed = false;
  let wake = (): void => {};
  return {
    async next() {
      while (!isClosed && seen === entry.version) {
        if (entry.job.state !== 'running') return null;
        await new Promise<void>((resolve) => {
          wake = resolve;
          entry.waiting.add(resolve);
        });
      }
      if (isClosed) return null;
      seen = entry.version;
      return entry.job;
    },
    close() {
      isClosed = true;
      entry.waiting.delete(wake);
      wake();
    },
  };
}

function checkRequest({ from, name }: PullRequest): void {
  const address = parseModelAddress(from);
  if (address.kind !== 'hub' || address.endpoint !== null) {
    throw new ModelStoreError(
      'address_invalid',
      `expected a name of the server's hub, such as gpt-j-6b or OWNER/NAME, got ${JSON.stringify(from.slice(0, 200))}; gptj pull on the server takes addresses and folders`,
    );
  }
  if (name !== null && !isModelName(name)) {
    throw new ModelStoreError(
      'address_invalid',
      `name: expected letters, digits, dots, - and _, got ${JSON.stringify(name.slice(0, 100))}`,
    );
  }
}

/** What an event changes. */
function changeOf(job: PullJob, event: PullEvent, now: Date): Partial<PullJob> {
  switch (event.type) {
    case 'source':
      return { source: event.source };
    case 'plan': {
      const { recipe: type, reason, fileBytes } = event;
      return { plan: { type, reason, fileBytes } };
    }
    case 'download':
    case 'convert': {
      const { doneBytes, totalBytes } = event;
      const phase = event.type === 'download' ? 'downloading' : 'converting';
      const started = phase === job.phase ? {} : { phaseStartedAt: now, phaseStartBytes: doneBytes };
      return { phase, doneBytes, totalBytes, waiting: null, ...started };
    }
    case 'wait':
      return { waiting: event.reason };
    case 'present':
      return {};
    case 'warning':
      return { warnings: [...job.warnings, event.message].slice(-MAX_WARNINGS) };
    default:
      return event satisfies never;
  }
}

function codeOf(error: unknown): ModelStoreErrorCode | 'failed' {
  return error instanceof ModelStoreError ? error.code : 'failed';
}

/** Messages of own errors are for the reader; those of others may name anything. */
function messageOf(error: unknown): string {
  const code: unknown = Reflect.get(Object(error), 'code');
  if (error instanceof ModelStoreError || typeof code === 'string') return (error as Error).message;
  return `it failed (${errnoOf(error) ?? 'see the log of the server'})`;
}
