/**
 * Executes the stored runs with limited concurrency.
 *
 * A place is reserved before a run is stored, so that a full queue refuses it without storing anything; the place is released
 * when the run has ended. A run starts immediately when a slot is free and no run waits in the store; otherwise it is stored
 * without a lease, and a process with a free slot claims it. Leases hold while the process reports that it is alive (`nodes/node.ts`). A
 * run whose lease was lost (ended by another process, or claimed by one after a long pause of this one) is aborted here, and a
 * lease without an execution, as after an end that could not be stored, is given up.
 *
 * States: **open** → `close`: no new places; runs that a caller waits for are still executed, others stay in the store
 * → (`stop`: every run that is executed or waited for is aborted) → `drained`: no caller waits and nothing is executed.
 */
import { ApiError } from '@gptj-cloud/protocol';
import type { Database } from '../store/db.ts';
import { type Polling, startPolling } from '../store/polling.ts';
import type { Logger } from '../telemetry/logger.ts';
import { currentMeter, measureWork, serverWork, type WorkMeter } from '../telemetry/work-meter.ts';
import type { QueueChoice, QueuedRun } from './queue-choice.ts';
import { claimRuns, claimRunsOf, type FairClaim, PREFIX_DELAY_MS } from './run-claim-store.ts';
import type { EndedRun } from './run-end.ts';
import type { RunGate } from './run-gate.ts';
import {
  type ClaimedRun,
  countOpenRuns,
  endAllLeases,
  findCancelRequests,
  findEnded,
  findLeased,
  type Lease,
  releaseLeases,
} from './run-lease-store.ts';
import type { RunLimits, RunTiming } from './run-timing.ts';

export interface RunWorkerDeps {
  readonly db: Database;
  readonly limits: RunLimits;
  readonly logger: Logger;
  readonly clock: () => Date;
  /** Identifies this process among those that share the store. */
  readonly owner: string;
  /** No other process uses the store: leases found at the start belong to processes that have ended. */
  readonly ownsStore: boolean;
  /** Execute a claimed run and store its end; false where it has not ended, or ended elsewhere. Rejects only when the store fails; the lease then expires. */
  readonly perform: (run: ClaimedRun, signal: AbortSignal) => Promise<boolean>;
  /** A run was executed here, or one that was accepted or watched here ended elsewhere. Must not throw. */
  readonly onRunEnded: (run: EndedRun) => void;
  readonly timing: Required<RunTiming>;
  /** Which runs may begin. */
  readonly gate: RunGate;
  readonly queues: QueueChoice;
  /** Runs go first to processes that have the beginnings of their prompts in their caches. */
  readonly hasAffinity: boolean;
  /** Tell other processes that a run of this pipeline waits. */
  readonly hint: (pipelineId: string) => void;
}

/** Reason for aborting an execution. */
export type AbortReason = 'cancelled' | 'lease_lost' | 'stopping' | 'timed_out';

const RETRY_SECONDS = 5;
/** Runs of unknown pipelines that end at a time. */
const MAX_UNSERVED = 16;

/** A run accepted here that has not ended. */
interface Place {
  readonly projectId: string;
  /** A caller waits for the end. */
  readonly awaited: boolean;
  /** Of the request that created it. */
  readonly meter: WorkMeter | undefined;
}

export class RunWorker {
  readonly #deps: RunWorkerDeps;
  readonly #timing: Required<RunTiming>;
  readonly #places = new Map<string, Place>();
  /** Runs accepted elsewhere whose end a caller here waits for. */
  readonly #watched = new Map<string, { readonly projectId: string }>();
  /** Places of runs about to be stored. */
  #reserved = 0;
  readonly #executing = new Map<string, AbortController>();
  /** Slots taken, by executions and by claims under way. */
  #slots = 0;
  /** The store may hold waiting runs. */
  #mayWait = true;
  /** The store may hold leases of this process without an execution. */
  #mayLeaseMore = false;
  #filling: Promise<void> | null = null;
  #closed = false;
  #stopped = false;
  #pollings: readonly Polling[] = [];
  #resolveDrained: () => void = () => {};
  readonly drained: Promise<void>;

  constructor(deps: RunWorkerDeps) {
    this.#deps = deps;
    this.#timing = deps.timing;
    this.drained = new Promise((resolve) => {
      this.#resolveDrained = resolve;
    });
  }

  /** Start executing runs. Returns the number of runs in the store that have not ended. */
  async start(): Promise<number> {
    if (this.#deps.ownsStore) await endAllLeases(this.#deps.db);
    const open = await countOpenRuns(this.#deps.db);
    const { heartbeatMs, pollMs } = this.#timing;
    const { logger } = this.#deps;
    this.#pollings = [
      startPolling(() => this.#heartbeat(), {
        everyMs: heartbeatMs,
        onError: (error) => logger.warn('leases could not be read', { error }),
      }),
      startPolling(() => this.#poll(), {
        everyMs: pollMs,
        onError: (error) => logger.warn('ends of runs could not be read', { error }),
      }),
    ];
    this.wake();
    return open;
  }

  /** Runs that are executed here, wait, or are about to be stored. */
  get size(): number {
    return this.#places.size + this.#reserved;
  }

  /** After `close`. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** After `stop`: no execution begins. */
  get stopped(): boolean {
    return this.#stopped;
  }

  isExecuting(runId: string): boolean {
    return this.#executing.has(runId);
  }

  /** Runs that are executed here. */
  get running(): number {
    return this.#executing.size;
  }

  /**
   * Reserve a place for a run about to be stored; `enqueue`, `begin` or `releaseReservation` must follow. Throws
   * `too_many_runs` when the queue is full, `shutting_down` after `close`.
   */
  reserve(): void {
    this.requirePlace();
    this.#reserved++;
  }

  /** Throws where `reserve` would. */
  requirePlace(): void {
    if (this.#closed) throw new ApiError('shutting_down', {}, { retryAfterSeconds: RETRY_SECONDS });
    const { running, waiting } = this.#deps.limits;
    if (this.size >= running + waiting) {
      throw new ApiError(
        'too_many_runs',
        { waiting: this.size - running, limit: waiting },
        { retryAfterSeconds: RETRY_SECONDS },
      );
    }
  }

  /** A lease for a run about to be stored, when it can begin at once; else null. `begin` or `releaseReservation` must follow. */
  takeLease(run: QueuedRun): Lease | null {
    if (this.#mayWait || !this.#deps.queues.mayBegin(run) || this.#slots >= this.#deps.limits.running) return null;
    this.#slots++;
    return this.#lease();
  }

  /** The run of a reserved place is stored without a lease: it waits for a slot. */
  enqueue(run: Pick<ClaimedRun, 'id' | 'projectId' | 'isAsync'> & QueuedRun): void {
    const { id, projectId, pipelineId, isAsync } = run;
    this.#reserved--;
    this.#places.set(id, { projectId, awaited: !isAsync, meter: currentMeter() });
    this.#mayWait = true;
    if (this.#slots >= this.#deps.limits.running || !this.#deps.queues.mayBegin(run)) this.#deps.hint(pipelineId);
    this.wake();
  }

  /** The run of a reserved place is stored with the lease of `takeLease`: execute it. */
  begin(run: ClaimedRun): void {
    this.#reserved--;
    this.#places.set(run.id, { projectId: run.projectId, awaited: !run.isAsync, meter: currentMeter() });
    void this.#execute(run);
  }

  /** No run was stored for a reserved place. */
  releaseReservation(lease: Lease | null): void {
    this.#reserved--;
    if (lease !== null) {
      // The run may be stored, and the answer lost.
      this.#mayLeaseMore = true;
      this.#freeSlot();
    }
    this.#checkDrained();
  }

  /** Abort a run that is executed here; false when it is not. Its `perform` sees the reason. */
  abort(runId: string, reason: AbortReason): boolean {
    const execution = this.#executing.get(runId);
    execution?.abort(reason);
    return execution !== undefined;
  }

  /** The end of a run was stored that is not executed here. */
  recordEnd(id: string): void {
    const known = this.#places.get(id) ?? this.#watched.get(id);
    this.#places.delete(id);
    this.#watched.delete(id);
    if (known !== undefined) this.#deps.onRunEnded({ id, projectId: known.projectId, endedHere: false });
    this.#checkDrained();
  }

  /** Report the end of a run by `onRunEnded`, also when another process has accepted it. */
  watch(run: { readonly id: string; readonly projectId: string }): void {
    if (!this.#places.has(run.id)) this.#watched.set(run.id, { projectId: run.projectId });
  }

  unwatch(runId: string): void {
    this.#watched.delete(runId);
  }

  /** Claim waiting runs from the store. */
  wake(): void {
    this.#mayWait = true;
    if (this.#stopped) return;
    this.#filling ??= serverWork('runs', () => this.#fill()).finally(() => {
      this.#filling = null;
      // A run was stored after the last look.
      if (this.#mayWait && this.#slots < this.#deps.limits.running && !this.#stopped) this.wake();
    });
  }

  /** Claim and execute runs beside those of its slots, as a process without slots does: none can execute them, so they end at once. */
  async endUnserved(queues: readonly string[]): Promise<void> {
    while (!this.#stopped) {
      const claim = { limit: MAX_UNSERVED, lease: this.#lease(), now: this.#deps.clock() };
      const claimed = await claimRuns(this.#deps.db, { ...claim, queues, random: Math.random() });
      if (claimed.length === 0) return;
      this.#slots += claimed.length;
      await Promise.all(claimed.map((run) => this.#execute(run)));
    }
  }

  /** Reserve no more places. */
  close(): void {
    this.#closed = true;
    this.#checkDrained();
  }

  /** Abort every run that is executed or that a caller waits for; the others stay in the store. */
  async stop(): Promise<void> {
    this.#closed = true;
    this.#stopped = true;
    this.#deps.gate.close();
    for (const execution of this.#executing.values()) execution.abort('stopping' satisfies AbortReason);
    await this.#filling;
    try {
      await this.#endAwaited();
    } catch (error) {
      // They stay in the store for the next start.
      this.#deps.logger.error('waiting runs could not be ended', { error });
    }
    this.#checkDrained();
  }

  /** Claim the runs that callers wait for; each is aborted before it begins, and only its end is stored. */
  async #endAwaited(): Promise<void> {
    const ids = this.#awaited();
    if (ids.length === 0) return;
    const { db, clock } = this.#deps;
    const rest = await claimRunsOf(db, { limit: ids.length, lease: this.#lease(), now: clock() }, ids);
    this.#slots += rest.length;
    for (const run of rest) void this.#execute(run);
  }

  get #affinity(): Pick<FairClaim, 'affinity'> {
    if (!this.#deps.hasAffinity) return {};
    return { affinity: { onLeft: () => setTimeout(() => this.wake(), PREFIX_DELAY_MS).unref() } };
  }

  #lease(): Lease {
    return { owner: this.#deps.owner, ms: this.#timing.leaseMs };
  }

  async #fill(): Promise<void> {
    const { db, limits, clock, logger, gate } = this.#deps;
    while (this.#mayWait && !this.#stopped && this.#slots < limits.running) {
      const free = limits.running - this.#slots;
      const ids = this.#closed ? this.#awaited() : null;
      this.#mayWait = false;
      const next = ids === null ? gate.next(free) : { pipelines: null, limit: free };
      if (ids?.length === 0 || next === null) break;
      const { pipelines, limit } = next;
      const queues = this.#deps.queues.queuesOf(pipelines);
      this.#slots += limit;
      let claimed: readonly ClaimedRun[] = [];
      try {
        const claim = { limit, lease: this.#lease(), now: clock() };
        claimed =
          ids === null
            ? await claimRuns(db, { ...claim, queues, random: Math.random(), ...this.#affinity })
            : await claimRunsOf(db, claim, ids);
        if (gate.claimed(next, claimed.length)) this.#mayWait = true;
      } catch (error) {
        this.#mayLeaseMore = true;
        // The next poll looks again.
        logger.error('runs could not be claimed', { error });
      }
      this.#slots -= limit - claimed.length;
      for (const run of claimed) {
        // One of this process, which was held up until its leases ended: the claim gave the lease back.
        if (this.#executing.has(run.id)) this.#slots--;
        else this.#executeClaimed(run);
      }
    }
    this.#checkDrained();
  }

  /** As work of the request that created the run, where that came to this process. */
  #executeClaimed(run: ClaimedRun): void {
    const meter = this.#places.get(run.id)?.meter;
    if (meter === undefined) void this.#execute(run);
    else void measureWork(meter, () => this.#execute(run));
  }

  async #execute(run: ClaimedRun): Promise<void> {
    const abort = new AbortController();
    this.#executing.set(run.id, abort);
    if (this.#stopped) abort.abort('stopping' satisfies AbortReason);
    const leave = this.#deps.gate.enter(run.pipelineId);
    let endedHere = false;
    try {
      endedHere = await this.#deps.perform(run, abort.signal);
    } catch (error) {
      this.#mayLeaseMore = true;
      this.#deps.logger.error('run could not be stored', { run_id: run.id, error });
    } finally {
      leave();
      this.#executing.delete(run.id);
      this.#places.delete(run.id);
      this.#watched.delete(run.id);
      this.#deps.onRunEnded({ ...run, endedHere });
      this.#freeSlot();
      this.#checkDrained();
    }
  }

  #freeSlot(): void {
    this.#slots--;
    if (this.#mayWait) this.wake();
  }

  /** Compare the leases in the store with the executions. */
  async #heartbeat(): Promise<void> {
    const ids = [...this.#executing.keys()];
    if (ids.length === 0 && !this.#mayLeaseMore) return;
    const { db, owner } = this.#deps;
    this.#mayLeaseMore = false;
    const leased = await findLeased(db, owner);
    const kept = new Set(leased.map(({ id }) => id));
    for (const id of ids) if (!kept.has(id)) this.abort(id, 'lease_lost');
    const idle = leased.filter(({ id }) => !this.#executing.has(id));
    this.#mayLeaseMore ||= idle.length > 0;
    // Younger ones may be about to be executed.
    const old = idle.filter(({ isOld }) => isOld).map(({ id }) => id);
    if (old.length > 0 && (await releaseLeases(db, owner, old)) > 0) this.wake();
  }

  /** Find waiting runs, and for runs of this process the ends and cancel requests of others. */
  async #poll(): Promise<void> {
    this.wake();
    if (this.#deps.ownsStore) return;
    const elsewhere = [...this.#places.keys(), ...this.#watched.keys()].filter((id) => !this.#executing.has(id));
    const here = [...this.#executing.keys()];
    const { db } = this.#deps;
    if (here.length > 0) for (const id of await findCancelRequests(db, here)) this.abort(id, 'cancelled');
    if (elsewhere.length === 0) return;
    for (const id of await findEnded(db, elsewhere)) if (!this.#executing.has(id)) this.recordEnd(id);
  }

  /** Runs that a caller here waits for and that are not executed here. */
  #awaited(): readonly string[] {
    return [...this.#places].filter(([id, { awaited }]) => awaited && !this.#executing.has(id)).map(([id]) => id);
  }

  #checkDrained(): void {
    const idle = this.#executing.size === 0 && this.#reserved === 0;
    if (!this.#closed || !idle || this.#awaited().length > 0) return;
    for (const polling of this.#pollings) void polling.stop();
    this.#resolveDrained();
  }
}
