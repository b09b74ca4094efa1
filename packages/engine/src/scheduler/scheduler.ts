/**
 * Continuous batching: many generations share one `LanguageModel`, joining and leaving the batch between evaluations.
 *
 * A generation is **waiting** (submitted, no cache) → **active** (owns sequences, takes part in evaluations) → **ended**
 * (outcome, failure or cancellation; its sequences are released at once).
 *
 * Invariants
 * - An active generation has reserved cache cells and sequences for its worst case, so it never fails for lack of cache:
 *   entries of the prefix cache are evicted when a generation needs their cells.
 * - Waiting generations are admitted by priority, then by arrival. Waiting raises the priority, so every generation is
 *   admitted in the end. A generation whose prompt shares a prefix with a prompt under evaluation waits for that prefix and forks it.
 * - Only the loop touches the model, and only between evaluations.
 * - A strategy that throws ends its own generation; an evaluation that fails ends the generations that took part in it.
 */
import { setImmediate } from 'node:timers/promises';
import type { DraftPolicy, GenerateOutcome, Strategy } from '@gptj-cloud/decoding';
import { type LanguageModel, ModelError } from '@gptj-cloud/model';
import type { GenerationRequest } from '../engine.ts';
import type { EngineStats } from '../engine-stats.ts';
import type { PrefixStore } from '../prefix-store/prefix-store.ts';
import { BatchCostModel } from './batch-cost-model.ts';
import { type BatchLimits, planBatch, type Slice } from './batch-plan.ts';
import { Generation, type GenerationListener, type Reservation } from './generation.ts';
import type { Mutex } from './mutex.ts';
import { MIN_PREFIX_TOKENS, PrefixCache } from './prefix-cache.ts';
import { PrefixPersister } from './prefix-persister.ts';
import { sharedLength } from './prefix-tree.ts';
import { StrategyRun } from './strategy-run.ts';
import { NO_MONITOR, type WorkMonitor } from './work-monitor.ts';

export interface SchedulerOptions {
  readonly model: LanguageModel;
  /** Makes the strategy of a request. `drafts` is null where batches must not depend on the time they take. */
  readonly strategy: (request: GenerationRequest, drafts: DraftPolicy | null) => Strategy<GenerateOutcome>;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Held during an evaluation: schedulers whose models share threads share it. */
  readonly mutex: Mutex;
  /**
   * Serve one generation at a time, without the prefix cache, with prompts cut at fixed places: its batches then depend
   * on its own request alone. Default false.
   */
  readonly isolated?: boolean;
  /** Persists prefixes for the next process. Default: none. */
  readonly prefixStore?: PrefixStore | null;
  /** Called with warnings for the operator that do not affect generations. */
  readonly onWarning?: (message: string) => void;
  /** Learns what the thread works on. Default: none. */
  readonly monitor?: WorkMonitor;
}

/** Maximum number of sequences in the prefix cache. */
const MAX_PREFIXES = 64;
/** Waiting for this long raises the priority by one. */
const AGEING_MS = 10_000;
/** Prompt tokens in one evaluation of an isolated generation. */
const ISOLATED_PREFILL_TOKENS = 512;

/** Steps of several generations keep the event loop for this long at most, unless a single step takes longer. */
const MAX_TURN_MS = 50;

interface Evaluation {
  readonly abort: AbortController;
  /** The runs whose rows are in it. */
  readonly runs: ReadonlySet<StrategyRun>;
}

export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #prefixes: PrefixCache;
  readonly #persister: PrefixPersister | null;
  /** Sequences that generations may have open. */
  readonly #maxSequences: number;
  readonly #costs: BatchCostModel;
  readonly #waiting: Generation[] = [];
  readonly #active: Generation[] = [];
  readonly #drafts: DraftPolicy | null;
  readonly #monitor: WorkMonitor;
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
    this.#prefixes = new PrefixCache(model, { maxEntries });
    this.#costs = new BatchCostModel(now);
    this.#drafts = isolated
      ? null
      : { draftTokens: (acceptance) => this.#costs.draftTokens(acceptance, this.#active.length) };
    // A prefix that is being copied to disk needs one sequence.
    this.#maxSequences = model.limits.maxSequences - maxEntries - (store === null ? 0 : 1);
    this.#persister = store && new PrefixPersister({ model, prefixes: this.#prefixes, store, onWarning, now });
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
    this.#checkFits(generation);
    generation.limitTime((error) => this.#cancel(generation, error));
    this.#waiting.push(generation);
    this.#wake();
    return () => this.#cancel(generation);
  }

  /** Counts of finished work and of work in progress. */
  get stats(): EngineStats {
    const { model } = this.#options;
    return {
      ...this.#costs.counts.snapshot,
      active: this.#active.length,
      waiting: this.#waiting.length,
      freeCells: model.freeCells,
      cacheCells: model.limits.cacheCells,
      prefixes: this.#prefixes.entries,
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
    this.#prefixes.clear();
  }

  #checkFits({ request, reservation }: Generation): void {
    const { contextLength } = this.#options.model.config;
    const { cacheCells } = this.#options.model.limits;
    if (request.prompt.length === 0) throw new RangeError('generate: expected at least one prompt token, got none');
    const length = Math.max(request.prompt.length, request.config.maxLength);
    if (length > contextLength) {
      throw new ModelError(
        'context_full',
        `expected at most ${contextLength} tokens of prompt and output together, got ${length}`,
      );
    }
    if (reservation.cells > cacheCells) {
      throw new ModelError(
        'cache_full',
        `this request needs ${reservation.cells} positions of cache, the engine has ${cacheCells}: request fewer tokens, beams or sequences`,
      );
    }
    if (reservation.sequences > this.#maxSequences) {
      throw new ModelError(
        'too_many_sequences',
        `this request needs ${reservation.sequences} sequences, the engine has ${this.#maxSequences}: request fewer beams or sequences`,
      );
    }
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
    for (const next of this.#byPriority()) {
      if (this.#options.isolated === true && this.#active.length > 0) return;
      if (!this.#fits(next.reservation)) return;
      if (this.#sharesPrompt(next)) continue;
      this.#waiting.splice(this.#waiting.indexOf(next), 1);
      this.#active.push(next);
      try {
        const { model, strategy } = this.#options;
        const { request } = next;
        next.run = new StrategyRun(
          model,
          this.#monitor.step(request, () => strategy(request, this.#drafts)),
          this.#prefixes,
        );
        this.#monitor.step(request, () => next.run!.begin());
        if (this.#persister !== null) for (const tokens of next.run.reused) this.#persister.recordReuse(tokens);
        this.#finishIfDone(next);
      } catch (error) {
        this.#fail(next, error as Error);
      }
    }
  }

  /** The waiting generations, the next one to admit first. */
  #byPriority(): readonly Generation[] {
    const now = this.#options.now();
    const rank = ({ request, arrivedAt }: Generation): number =>
      (request.priority ?? 0) + (now - arrivedAt) / AGEING_MS;
    return [...this.#waiting].sort((a, b) => rank(b) - rank(a));
  }

  /** Whether a reservation fits beside those of the active generations. */
  #fits(added: Reservation): boolean {
    const cells = this.#active.reduce((sum, { reservation }) => sum + reservation.cells, added.cells);
    const sequences = this.#active.reduce((sum, { reservation }) => sum + reservation.sequences, added.sequences);
    return cells <= this.#options.model.limits.cacheCells && sequences <= this.#maxSequences;
  }

  /** Whether a prompt under evaluation will add a longer prefix of this one's prompt to the cache. */
  #sharesPrompt({ request }: Generation): boolean {
    const cached = this.#prefixes.match(request.prompt);
    return this.#active.some(({ run }) =>
      run!.prompts.some((prompt) => sharedLength(prompt, request.prompt, 0) >= cached + MIN_PREFIX_TOKENS),
    );
  }

  async #evaluate(): Promise<void> {
    const slices = planBatch(
      this.#active.map(({ run }) => run!),
      this.#batchLimits(),
    );
    this.#prefixes.makeRoom(slices.reduce((sum, { count }) => sum + count, 0));
    const runs = new Set(slices.map(({ run }) => run));
    for (const generation of this.#active) if (runs.has(generation.run!)) generation.reportStart();
    if (slices.length > 0 && !(await this.#compute(slices, runs))) return;
    let turnAt = this.#options.now();
    for (const generation of [...this.#active]) {
      if (this.#options.now() - turnAt >= MAX_TURN_MS) {
        // Messages, above all cancellations, and signs of life are not kept waiting by many generations in a row.
        await setImmediate();
        turnAt = this.#options.now();
      }
      if (generation.isCancelled) continue;
      if (generation.run!.complete) this.#advance(generation);
      else if (runs.has(generation.run!)) generation.run!.copyResults();
    }
  }

  #batchLimits(): BatchLimits {
    const { model, isolated } = this.#options;
    if (isolated === true) return { maxTokens: ISOLATED_PREFILL_TOKENS, prefillTokens: ISOLATED_PREFILL_TOKENS };
    return { maxTokens: model.limits.maxBatchTokens, prefillTokens: this.#costs.prefillTokens };
  }

  /** Run one evaluation. False when it failed or was aborted; a failure has then ended its generations. */
  async #compute(slices: readonly Slice[], runs: ReadonlySet<StrategyRun>): Promise<boolean> {
    const abort = new AbortController();
    this.#evaluation = { abort, runs };
    try {
      const steps = slices.map(({ run, work, count }) => run.step(work, count));
      const { model, mutex } = this.#options;
      const results = await mutex.run(() =>
        this.#monitor.evaluation(() => this.#costs.time(steps, () => model.evaluate(steps, abort.signal))),
      );
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

  #advance(generation: Generation): void {
    try {
      const final = this.#monitor.step(generation.request, () => generation.run!.advance());
      for (const tokens of final) generation.reportTokens(tokens);
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
      if (at >= 0) list.splice(at, 1);
    }
  }
}
