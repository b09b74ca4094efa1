/**
 * Continuous batching: many generations share one `LanguageModel`, joining and leaving the batch between evaluations.
 *
 * A generation is **waiting** (submitted, no cache) → **active** (owns sequences, takes part in evaluations) → **ended**
 * (outcome, failure or cancellation; its sequences are released at once).
 *
 * Invariants
 * - An active generation has reserved cache cells and sequences for its worst case, so it never fails for lack of cache:
 *   entries of the prefix cache are evicted when a generation needs their cells.
 * - Waiting generations are admitted by priority, then by arrival, within their tenant's share of the cache
 *   (`admission-order.ts`). Waiting raises the priority, so every generation is admitted in the end. A generation whose prompt shares a prefix with a prompt under evaluation waits for that prefix and forks it.
 * - Tenants take turns by the time that they have received (`fair-share.ts`).
 * - Only the loop touches the model, and only between evaluations.
 * - A strategy that throws ends its own generation; an evaluation that fails ends the generations that took part in it.
 */
import { setImmediate } from 'node:timers/promises';
import { ModelError } from '@gptj-cloud/model';
import type { GenerationRequest } from '../engine.ts';
import { type EngineStats, NO_DRAFTS } from '../engine-stats.ts';
import { nextAdmission } from './admission-order.ts';
import { BatchCostModel } from './batch-cost-model.ts';
import { type BatchLimits, planRound, type Slice } from './batch-plan.ts';
import { checkFits } from './check-fits.ts';
import { openDrafters } from './drafting/open-drafters.ts';
import { Speculation } from './drafting/speculation.ts';
import { FairShare } from './fair-share.ts';
import { Generation, type GenerationListener } from './generation.ts';
import { MIN_PREFIX_TOKENS, PrefixCache } from './prefix-cache.ts';
import { PrefixPersister } from './prefix-persister.ts';
import { sharedLength } from './prefix-tree.ts';
import { gatherPrompts } from './prompt-gathering.ts';
import type { SchedulerOptions } from './scheduler-options.ts';
import { StrategyRun } from './strategy-run.ts';
import { TenantTime } from './tenant-time.ts';
import { NO_MONITOR, type WorkMonitor } from './work-monitor.ts';

/** Maximum number of sequences in the prefix cache. */
const MAX_PREFIXES = 64;
/** Prompt tokens in one evaluation of an isolated generation. */
const ISOLATED_PREFILL_TOKENS = 512;

/** Steps of several generations keep the event loop for this long at most, unless a single step takes longer. */
const MAX_TURN_MS = 50;
/** The first steps of several generations take this long at most between evaluations, unless a single one takes longer. */
const MAX_ADMISSION_MS = 10;
/** A step that takes longer on this thread may wait for a tenant that left a short time ago. */
const MAX_QUICK_STEP_MS = 10;

interface Evaluation {
  readonly abort: AbortController;
  /** The runs whose rows are in it. */
  readonly runs: ReadonlySet<StrategyRun>;
}

export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly prefixes: PrefixCache;
  readonly #persister: PrefixPersister | null;
  /** Sequences that generations may have open. */
  readonly #maxSequences: number;
  readonly #costs: BatchCostModel;
  readonly #waiting: Generation[] = [];
  readonly #active: Generation[] = [];
  readonly #speculation: Speculation | null;
  readonly #monitor: WorkMonitor;
  readonly #shares: FairShare;
  readonly #time: TenantTime;
  /** Under way; null between evaluations. */
  #evaluation: Evaluation | null = null;
  /** The loop; null while no generation needs it. */
  #loop: Promise<void> | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: SchedulerOptions) {
    const { model, now, isolated = false, prefixStore: store = null, onWarning = () => {} } = options;
    // A model with few sequences keeps most of them for generations.
    const maxEntries = isolated ? 0 : Math.min(MAX_PREFIXES, model.limits.maxSequences >> 2);
    this.#options = options;
    this.#monitor = options.monitor ?? NO_MONITOR;
    this.#shares = options.shares ?? new FairShare();
    this.#time = new TenantTime(this.#shares, now);
    this.prefixes = new PrefixCache(model, { maxEntries });
    this.#costs = new BatchCostModel(now, options.model.limits.tokensAtOnce);
    this.#speculation = isolated
      ? null
      : new Speculation({ drafters: openDrafters(options), costs: this.#costs, monitor: this.#monitor });
    // A prefix that is being copied to disk needs one sequence.
    this.#maxSequences = model.limits.maxSequences - maxEntries - (store === null ? 0 : 1);
    this.#persister = store && new PrefixPersister({ model, prefixes: this.prefixes, store, onWarning, now });
    // Generations that arrive during the restoration wait: their prompts may share a stored prefix.
    if (this.#persister !== null) this.#loop = this.#runLoop(this.#persister.restore());
  }

  /**
   * Queue a generation. Returns the function that cancels it (idempotent; the listener then receives `aborted`).
   *
   * Throws `context_full` when the prompt leaves no position to generate, `cache_full` and `too_many_sequences` when
   * this request alone needs more than the model has, `closed`.
   */
  submit(request: GenerationRequest, listener: GenerationListener): () => void {
    if (this.#closing !== null) throw new ModelError('closed', 'the engine is closed');
    const generation = new Generation(request, listener, this.#options.now);
    checkFits(generation, this.#options.model, this.#maxSequences);
    generation.limitTime((error) => this.#cancel(generation, error));
    this.#waiting.push(generation);
    this.#wake();
    this.#shares.notify();
    // Also called at its end, when nothing is left to cancel.
    return () => void ([...this.#waiting, ...this.#active].includes(generation) && this.#cancel(generation));
  }

  /** Counts of finished work and of work in progress. */
  get stats(): EngineStats {
    const { model, now } = this.#options;
    const arrivals = this.#waiting.map(({ arrivedAt }) => arrivedAt);
    return {
      ...this.#costs.counts.snapshot,
      drafts: this.#speculation?.counts ?? NO_DRAFTS,
      active: this.#active.length,
      waiting: this.#waiting.length,
      freeCells: model.freeCells,
      cacheCells: model.limits.cacheCells,
      prefixes: this.prefixes.entries,
      prefixLabels: this.prefixes.labels,
      oldestWaitingMs: arrivals.length === 0 ? 0 : now() - Math.min(...arrivals),
      memoryBytes: process.memoryUsage.rss(),
    };
  }

  /** Cancel every generation and wait until the model is idle. Idempotent. Does not close the model. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const generation of [...this.#waiting, ...this.#active]) this.#cancel(generation);
    while (this.#loop !== null) await this.#loop;
    await this.#persister?.close();
    this.#speculation?.close();
    this.prefixes.clear();
  }

  #wake(): void {
    this.#loop ??= this.#runLoop(this.#work());
  }

  #runLoop(work: Promise<void>): Promise<void> {
    return work.finally(() => {
      this.#loop = null;
      // A generation that was submitted during the last iteration has found the loop still running.
      if (this.#waiting.length > 0) this.#wake();
    });
  }

  async #work(): Promise<void> {
    // Generations submitted in one iteration of the event loop start together: their first steps share a batch.
    await Promise.resolve();
    for (;;) {
      this.#dropCancelled();
      this.#admit();
      if (this.#closing === null) this.#persister?.persistNext(() => this.#wake());
      if (this.#active.length === 0) return;
      await this.#evaluate();
    }
  }

  #cancel(generation: Generation, reason = new ModelError('aborted', 'the generation was cancelled')): void {
    generation.cancellation ??= reason;
    const { run } = generation;
    const evaluation = this.#evaluation;
    if (evaluation === null || run === null || !evaluation.runs.has(run)) {
      this.#wake();
      this.#shares.notify();
      return;
    }
    // Do not abort an evaluation that other generations need.
    const isNeeded = this.#active.some(
      (other) => !other.isCancelled && other.run !== null && evaluation.runs.has(other.run),
    );
    if (!isNeeded) evaluation.abort.abort();
  }

  #dropCancelled(): void {
    for (const list of [this.#waiting, this.#active]) {
      for (const generation of [...list]) {
        if (generation.cancellation !== null) this.#fail(generation, generation.cancellation);
      }
    }
  }

  #admit(): void {
    const { isolated = false, now } = this.#options;
    const startedAt = now();
    // The message of a generation that has just arrived is not kept waiting by the first steps of many.
    const isOver = (): boolean => now() - startedAt >= MAX_ADMISSION_MS;
    const isFull = (): boolean => this.#active.length > 0 && (isolated || isOver());
    for (let next = this.#nextAdmission(); next !== null && !isFull(); next = this.#nextAdmission()) {
      this.#waiting.splice(this.#waiting.indexOf(next), 1);
      this.#active.push(next);
      this.#time.enter(next);
      try {
        this.#begin(next);
      } catch (error) {
        this.#fail(next, error as Error);
      }
    }
  }

  #begin(generation: Generation): void {
    const { model, strategy } = this.#options;
    this.#step(generation, () => {
      const { request, labelled } = generation;
      generation.run = new StrategyRun(model, strategy(request), this.prefixes, request.config.lora, labelled);
      generation.run.begin();
    });
    const reused = generation.run?.reused ?? [];
    for (const tokens of reused) this.#persister?.recordReuse(tokens, generation.request.config.lora);
    this.#finishIfDone(generation);
  }

  #step<T>(generation: Generation, work: () => T): T {
    return this.#time.step(generation, () => this.#monitor.step(generation.request, work));
  }

  #nextAdmission(): Generation | null {
    const now = this.#options.now();
    const capacity = { cells: this.#options.model.limits.cacheCells, sequences: this.#maxSequences };
    // The next evaluation, which lets those in debt go on, needs one that is active.
    const mayBegin = (one: Generation): boolean => this.#active.length === 0 || !this.#time.isPastTurn(one);
    const isReady = (one: Generation): boolean => mayBegin(one) && !this.#sharesPrompt(one);
    return nextAdmission(this.#waiting, this.#active, { capacity, now, isReady });
  }

  /** Whether a prompt under evaluation will add a longer prefix of this one's prompt to the cache. */
  #sharesPrompt({ request, adapters }: Generation): boolean {
    const cached = this.prefixes.match(request.prompt, adapters);
    return this.#active.some(
      (other) =>
        other.adapters === adapters &&
        // A tenant in debt computes its prompt too slowly for others to wait for it.
        !this.#time.isInDebt(other) &&
        other.run!.prompts.some((prompt) => sharedLength(prompt, request.prompt, 0) >= cached + MIN_PREFIX_TOKENS),
    );
  }

  async #evaluate(): Promise<void> {
    const runsOf = (generations: readonly Generation[]): readonly StrategyRun[] => generations.map(({ run }) => run!);
    const ready = this.#active.filter((one) => !this.#mustWait(one));
    const first = ready.filter((one) => !this.#time.isInDebt(one));
    if (first.length === 0) {
      // The tenants that are to catch up work in another scheduler, or have just left.
      await this.#shares.changed();
      return;
    }
    const gathered = this.#shares.tenants > 1 ? first : gatherPrompts(first);
    await this.#draft(gathered);
    const ahead = gathered.filter((one) => !one.isCancelled);
    if (ahead.length === 0) return;
    const inDebt = ready.filter((one) => !this.#time.keepsRowsBack && !first.includes(one) && !one.isCancelled);
    const limits = this.#batchLimits(ahead);
    const { slices, debtorsShare } = planRound(runsOf(ahead), runsOf(inDebt), limits, this.#costs);
    this.prefixes.makeRoom(slices.reduce((sum, { count }) => sum + count, 0));
    const runs = new Set(slices.map(({ run }) => run));
    for (const generation of this.#active) if (runs.has(generation.run!)) generation.reportStart();
    const startedAt = this.#options.now();
    if (slices.length > 0 && !(await this.#compute(slices, runs))) return;
    const evaluationMs = this.#options.now() - startedAt;
    this.#time.beginSteps(evaluationMs, debtorsShare);
    await this.#advanceAll(runs, evaluationMs);
  }

  /** Draft tokens of these generations. Their tenants pay for the time. */
  async #draft(generations: readonly Generation[]): Promise<void> {
    if (this.#speculation === null) return;
    const { now } = this.#options;
    const startedAt = now();
    const drafting = await this.#speculation.draft(generations);
    const ms = (now() - startedAt) / Math.max(1, drafting.length);
    for (const generation of drafting) this.#time.charge(generation, ms);
  }

  /** Advance the generations whose rows are evaluated. The other ones in the batch keep their results. */
  async #advanceAll(runs: ReadonlySet<StrategyRun>, evaluationMs: number): Promise<void> {
    const { now } = this.#options;
    let turnAt = now();
    // The quick ones first: what they return is not kept waiting by costly steps.
    for (const generation of this.#active.toSorted((a, b) => a.stepMs - b.stepMs)) {
      if (now() - turnAt >= MAX_TURN_MS || generation.stepMs > MAX_TURN_MS) {
        // Messages and signs of life are not kept waiting by many generations in a row, nor are those that arrive.
        await setImmediate();
        this.#dropCancelled();
        this.#admit();
        turnAt = now();
      }
      if (generation.isCancelled) continue;
      const { run, stepMs } = generation;
      const isLate = stepMs > Math.min(evaluationMs, MAX_TURN_MS) && this.#time.isInDebt(generation);
      if (run!.complete && !isLate && !this.#time.isPastTurn(generation) && !this.#mustWait(generation))
        this.#advance(generation);
      else if (runs.has(run!)) run!.copyResults();
    }
  }

  #mustWait(generation: Generation): boolean {
    const { stepMs, run } = generation;
    const isCostly = stepMs > MAX_QUICK_STEP_MS || run!.work.length > this.#costs.rowsPerRun;
    return isCostly && this.#time.isFollowed(generation);
  }

  #batchLimits(ahead: readonly Generation[]): BatchLimits {
    const { model, isolated } = this.#options;
    if (isolated === true) return { maxTokens: ISOLATED_PREFILL_TOKENS, prefillTokens: ISOLATED_PREFILL_TOKENS };
    const { maxBatchTokens: maxTokens, tokensAtOnce } = model.limits;
    const prefillTokens = this.#costs.prefillTokens(this.#shares.tenants);
    const { rowsPerRun } = this.#costs;
    // A tenant that has just left may be back during a prompt of one that is further.
    const promptTokens = ahead.some((one) => this.#time.isFollowed(one)) ? prefillTokens : this.#costs.promptTokens;
    return { maxTokens, prefillTokens, promptTokens, tokensAtOnce, rowsPerRun };
  }

  /** Run one evaluation. False when it failed or was aborted; a failure has then ended its generations. */
  async #compute(slices: readonly Slice[], runs: ReadonlySet<StrategyRun>): Promise<boolean> {
    const abort = new AbortController();
    this.#evaluation = { abort, runs };
    try {
      const steps = slices.map(({ run, work, count }) => run.step(work, count));
      const { model, mutex, now } = this.#options;
      const results = await mutex.run(async () => {
        const startedAt = now();
        try {
          return await this.#monitor.evaluation(() =>
            this.#costs.time(steps, () => model.evaluate(steps, abort.signal)),
          );
        } finally {
          this.#chargeEvaluation(slices, now() - startedAt);
        }
      });
      for (const [i, { run, work, count }] of slices.entries()) run.feed(work, count, results[i]!);
      return true;
    } catch (error) {
      if (!(error instanceof ModelError && error.code === 'aborted')) {
        for (const generation of this.#active.filter(({ run }) => runs.has(run!))) {
          this.#fail(generation, error as Error);
        }
      }
      return false;
    } finally {
      this.#evaluation = null;
    }
  }

  /** Each tenant pays for its part of the tokens. */
  #chargeEvaluation(slices: readonly Slice[], ms: number): void {
    const tokens = slices.reduce((sum, { count }) => sum + count, 0);
    for (const generation of this.#active) {
      const own = slices.reduce((sum, { run, count }) => (run === generation.run ? sum + count : sum), 0);
      if (own > 0) this.#time.charge(generation, (ms * own) / tokens);
    }
  }

  #advance(generation: Generation): void {
    try {
      const final = this.#step(generation, () => generation.run!.advance());
      generation.countStep();
      this.#speculation?.settle(generation);
      for (const tokens of final) generation.reportTokens(tokens);
      const searched = generation.run?.takeSearched() ?? null;
      if (searched !== null) generation.reportSearched(searched);
      if (this.#finishIfDone(generation)) return;
      generation.reportComputed();
    } catch (error) {
      this.#fail(generation, error as Error);
    }
  }

  #finishIfDone(generation: Generation): boolean {
    const outcome = generation.run?.outcome ?? null;
    if (outcome === null) return false;
    this.#remove(generation);
    generation.finish(outcome);
    return true;
  }

  #fail(generation: Generation, error: Error): void {
    this.#remove(generation);
    generation.fail(error);
  }

  #remove(generation: Generation): void {
    for (const list of [this.#waiting, this.#active]) {
      const at = list.indexOf(generation);
      if (at < 0) continue;
      list.splice(at, 1);
      if (list !== this.#active) continue;
      this.#time.leave(generation);
      this.#speculation?.forget(generation);
    }
  }
}
