/**
 * The loop beside the model: many generations share one `LanguageModel`, joining and leaving between evaluations.
 *
 * A generation is **waiting** (submitted, no cache yet) → **active** (has sequences, takes part in evaluations)
 * → **ended** (outcome, failure or cancellation; its sequences are released at once).
 *
 * Invariants
 * - An active generation has a reservation of cache cells and sequences that covers its worst case, so an admitted
 *   generation never fails for lack of cache: what the prefix cache holds beside them is dropped when it is wanted.
 * - Waiting ones are admitted by priority, then arrival; waiting raises the priority, so none starves. One whose prompt begins like a prompt that is being computed right
 *   now waits for that, and then shares it.
 * - Only the loop touches the model, and only between evaluations.
 * - A strategy that throws ends its own generation; an evaluation that fails ends those that took part in it.
 */
import {
  DecodingError,
  type DraftPolicy,
  type GenerateConfig,
  type GenerateOutcome,
  maxRows,
  type Strategy,
  type TokenReport,
} from '@gptj-cloud/decoding';
import { type LanguageModel, ModelError, type TokenId } from '@gptj-cloud/model';
import type { GenerationEvent, GenerationRequest } from '../engine.ts';
import type { EngineStats } from '../engine-stats.ts';
import type { PrefixStore } from '../prefix-store/prefix-store.ts';
import { BatchCostModel } from './batch-cost-model.ts';
import { type BatchLimits, planBatch, type Slice } from './batch-plan.ts';
import type { Mutex } from './mutex.ts';
import { MIN_PREFIX_TOKENS, PrefixCache } from './prefix-cache.ts';
import { PrefixPersister } from './prefix-persister.ts';
import { sharedLength } from './prefix-tree.ts';
import { StrategyRun } from './strategy-run.ts';

export interface SchedulerOptions {
  readonly model: LanguageModel;
  /** Makes the strategy of a request. `drafts` is null where batches must not depend on the time they take. */
  readonly strategy: (request: GenerationRequest, drafts: DraftPolicy | null) => Strategy<GenerateOutcome>;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Whose turn it is to evaluate, when several schedulers share threads. */
  readonly mutex: Mutex;
  /**
   * Serve one generation at a time, from an empty cache, prompts cut alike: its batches then depend on nothing but
   * itself. Default false.
   */
  readonly oneByOne?: boolean;
  /** Where prefixes outlive this process. Default: nowhere. */
  readonly prefixStore?: PrefixStore | null;
  /** Told what an operator should know of, and generations do not suffer from. */
  readonly onWarning?: (message: string) => void;
}

/** Sequences that the prefix cache may keep. */
const PREFIX_ENTRIES = 64;
/** Waiting this long counts as much as one step of priority. */
const AGEING_MS = 10_000;
/** Tokens of a prompt in one evaluation when batches must always be cut alike. */
const FIXED_PREFILL_TOKENS = 512;

/** Receives a generation's events; called by the loop, must not throw. */
export interface GenerationListener {
  event(event: GenerationEvent): void;
  /** The generation failed; nothing follows. */
  failed(error: Error): void;
}

interface Generation {
  readonly request: GenerationRequest;
  readonly listener: GenerationListener;
  readonly reservation: Reservation;
  readonly arrivedAt: number;
  run: StrategyRun | null;
  startedAt: number | null;
  cancelled: boolean;
  /** Tokens sent so far of each returned sequence. */
  readonly sent: number[];
}

/** Worst case of a generation. */
interface Reservation {
  readonly cells: number;
  readonly sequences: number;
}

/** Beside the rows of an ask, rows of the ask before it are open while they are forked. */
function reserve(prompt: readonly TokenId[], config: GenerateConfig): Reservation {
  const rows = maxRows(config);
  const grown = Math.max(0, config.maxLength - prompt.length) + 1;
  return { cells: prompt.length + rows * grown, sequences: rows === 1 ? 1 : 2 * rows };
}

export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #prefixes: PrefixCache;
  readonly #persister: PrefixPersister | null;
  readonly #maxSequences: number;
  readonly #costs: BatchCostModel;
  readonly #waiting: Generation[] = [];
  readonly #active: Generation[] = [];
  readonly #drafts: DraftPolicy | null;
  #evaluation: { readonly abort: AbortController; readonly taking: ReadonlySet<StrategyRun> } | null = null;
  #loop: Promise<void> | null = null;
  #closed = false;

  constructor(options: SchedulerOptions) {
    const { model, now } = options;
    // A tiny model keeps most of its sequences for generations.
    const prefixEntries = options.oneByOne === true ? 0 : Math.min(PREFIX_ENTRIES, model.limits.maxSequences >> 2);
    this.#options = options;
    this.#prefixes = new PrefixCache(model, { maxEntries: prefixEntries });
    this.#costs = new BatchCostModel(now);
    this.#drafts =
      options.oneByOne === true
        ? null
        : { draftTokens: (acceptance) => this.#costs.draftTokens(acceptance, this.#active.length) };
    const { prefixStore: store = null, onWarning = () => {} } = options;
    // What is copied to disk takes a sequence meanwhile.
    this.#maxSequences = model.limits.maxSequences - prefixEntries - (store === null ? 0 : 1);
    this.#persister = store && new PrefixPersister({ model, prefixes: this.#prefixes, store, onWarning, now });
    // What comes meanwhile waits: it may begin like something that is stored.
    if (this.#persister !== null) this.#loop = this.#looped(this.#persister.restore());
  }

  /**
   * Queue a generation. Returns the function that cancels it (idempotent; the listener then hears `aborted`).
   *
   * Throws `context_full` when the prompt leaves no position to generate, `cache_full` and `too_many_sequences` when
   * this request alone needs more than the model has, `closed`.
   */
  submit(request: GenerationRequest, listener: GenerationListener): () => void {
    if (this.#closed) throw new ModelError('closed', 'the engine is closed');
    const { model } = this.#options;
    const { contextLength } = model.config;
    if (request.prompt.length === 0) throw new RangeError('generate: expected at least one prompt token');
    if (request.prompt.length > contextLength || request.config.maxLength > contextLength) {
      const max = Math.max(request.prompt.length, request.config.maxLength);
      throw new ModelError(
        'context_full',
        `expected at most ${contextLength} tokens of prompt and output together, got ${max}`,
      );
    }
    const reservation = reserve(request.prompt, request.config);
    if (reservation.cells > model.limits.cacheCells) {
      throw new ModelError(
        'cache_full',
        `this request needs ${reservation.cells} positions of cache, the engine has ${model.limits.cacheCells}: ask for fewer tokens, beams or sequences`,
      );
    }
    if (reservation.sequences > this.#maxSequences) {
      throw new ModelError(
        'too_many_sequences',
        `this request needs ${reservation.sequences} sequences, the engine has ${this.#maxSequences}: ask for fewer beams or sequences`,
      );
    }
    const generation: Generation = {
      request,
      listener,
      reservation,
      arrivedAt: this.#options.now(),
      run: null,
      startedAt: null,
      cancelled: false,
      sent: [],
    };
    this.#waiting.push(generation);
    this.#wake();
    return () => this.#cancel(generation);
  }

  /** What was done so far and what is under way. */
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

  /** Cancel everything and wait until the model is idle. Idempotent. Does not close the model. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const generation of [...this.#waiting, ...this.#active]) this.#cancel(generation);
    while (this.#loop !== null) await this.#loop;
    await this.#persister?.close();
    this.#prefixes.clear();
  }

  #wake(): void {
    this.#loop ??= this.#looped(this.#work());
  }

  #looped(work: Promise<void>): Promise<void> {
    return work.finally(() => {
      this.#loop = null;
      // A submission that came while the last round was ending has found the loop still set.
      if (this.#waiting.length > 0) this.#wake();
    });
  }

  async #work(): Promise<void> {
    // Submissions of one turn of the event loop start together: their first steps share a batch.
    await Promise.resolve();
    for (;;) {
      this.#dropCancelled();
      this.#admit();
      if (!this.#closed) this.#persister?.persistNext(() => this.#wake());
      if (this.#active.length === 0) return;
      await this.#evaluate();
    }
  }

  #cancel(generation: Generation): void {
    generation.cancelled = true;
    const { run } = generation;
    const evaluation = this.#evaluation;
    if (evaluation === null || run === null || !evaluation.taking.has(run)) {
      this.#wake();
      return;
    }
    // Others' work in the same evaluation is not thrown away for one that left.
    const wanted = this.#active.some(
      (other) => !other.cancelled && other.run !== null && evaluation.taking.has(other.run),
    );
    if (!wanted) evaluation.abort.abort();
  }

  #dropCancelled(): void {
    for (const list of [this.#waiting, this.#active]) {
      for (const generation of list.filter((entry) => entry.cancelled)) {
        this.#fail(generation, new ModelError('aborted', 'the generation was cancelled'));
      }
    }
  }

  #admit(): void {
    for (const next of this.#inOrder()) {
      if (this.#options.oneByOne === true && this.#active.length > 0) return;
      if (!this.#fits(next.reservation)) return;
      if (this.#sharesPrompt(next)) continue;
      this.#waiting.splice(this.#waiting.indexOf(next), 1);
      this.#active.push(next);
      try {
        const { model, strategy } = this.#options;
        next.run = new StrategyRun(model, strategy(next.request, this.#drafts), this.#prefixes);
        next.run.begin();
        if (this.#persister !== null) for (const tokens of next.run.reused) this.#persister.recordReuse(tokens);
        if (next.run.outcome !== null) this.#finish(next);
      } catch (error) {
        this.#fail(next, error as Error);
      }
    }
  }

  /** Those that wait, the next one first. */
  #inOrder(): readonly Generation[] {
    const now = this.#options.now();
    const rank = ({ request, arrivedAt }: Generation): number =>
      (request.priority ?? 0) + (now - arrivedAt) / AGEING_MS;
    return [...this.#waiting].sort((a, b) => rank(b) - rank(a));
  }

  #fits(wanted: Reservation): boolean {
    const cells = this.#active.reduce((sum, { reservation }) => sum + reservation.cells, wanted.cells);
    const sequences = this.#active.reduce((sum, { reservation }) => sum + reservation.sequences, wanted.sequences);
    return cells <= this.#options.model.limits.cacheCells && sequences <= this.#maxSequences;
  }

  /** Whether a prompt under way will leave more of this one's in the prefix cache than there is now. */
  #sharesPrompt({ request }: Generation): boolean {
    const have = this.#prefixes.match(request.prompt);
    return this.#active.some(({ run }) =>
      run!.prompts.some((prompt) => sharedLength(prompt, request.prompt, 0) >= have + MIN_PREFIX_TOKENS),
    );
  }

  async #evaluate(): Promise<void> {
    const runs = this.#active.map(({ run }) => run!);
    const slices = planBatch(runs, this.#batchLimits());
    this.#prefixes.makeRoom(slices.reduce((sum, { count }) => sum + count, 0));
    const taking = new Set(slices.map(({ run }) => run));
    for (const generation of this.#active) if (taking.has(generation.run!)) this.#start(generation);
    if (slices.length > 0 && !(await this.#compute(slices, taking))) return;
    for (const generation of [...this.#active]) {
      if (generation.cancelled) continue;
      if (generation.run!.complete) this.#advance(generation);
      else if (taking.has(generation.run!)) generation.run!.keep();
    }
  }

  #batchLimits(): BatchLimits {
    const { model, oneByOne } = this.#options;
    if (oneByOne === true) return { maxTokens: FIXED_PREFILL_TOKENS, prefillTokens: FIXED_PREFILL_TOKENS };
    return { maxTokens: model.limits.maxBatchTokens, prefillTokens: this.#costs.prefillTokens };
  }

  /** Run one evaluation. False when it failed; the generations in it are then dealt with. */
  async #compute(slices: readonly Slice[], taking: ReadonlySet<StrategyRun>): Promise<boolean> {
    const abort = new AbortController();
    this.#evaluation = { abort, taking };
    try {
      const steps = slices.map(({ run, work, count }) => run.step(work, count));
      const { model, mutex } = this.#options;
      const results = await mutex.run(() => this.#costs.time(steps, () => model.evaluate(steps, abort.signal)));
      for (const [i, { run, work, count }] of slices.entries()) run.feed(work, count, results[i]!);
      return true;
    } catch (error) {
      if (!(error instanceof ModelError && error.code === 'aborted')) {
        for (const generation of this.#active.filter(({ run }) => taking.has(run!)))
          this.#fail(generation, error as Error);
      }
      return false;
    } finally {
      this.#evaluation = null;
    }
  }

  #start(generation: Generation): void {
    if (generation.startedAt !== null) return;
    generation.startedAt = this.#options.now();
    generation.listener.event({ type: 'started' });
  }

  #advance(generation: Generation): void {
    try {
      const finalTokens = generation.run!.advance();
      for (const { index, tokens, reports } of finalTokens) this.#send(generation, index, tokens, reports);
      if (generation.run!.outcome !== null) this.#finish(generation);
      else if (generation.request.config.numBeams > 1) this.#tellSearch(generation);
    } catch (error) {
      this.#fail(generation, error as Error);
    }
  }

  /** Nothing is final yet: whoever pays for a search that is cut short would not know of it. */
  #tellSearch({ request, listener }: Generation): void {
    listener.event({ type: 'searched', tokens: request.config.numReturnSequences });
  }

  #send(
    generation: Generation,
    index: number,
    tokens: readonly TokenId[],
    logprobs: readonly TokenReport[] | undefined,
  ): void {
    if (tokens.length === 0) return;
    generation.sent[index] = (generation.sent[index] ?? 0) + tokens.length;
    const atMs = this.#options.now() - generation.arrivedAt;
    generation.listener.event({ type: 'tokens', index, tokens, atMs, ...(logprobs === undefined ? {} : { logprobs }) });
  }

  #finish(generation: Generation): void {
    const { request, listener, run, arrivedAt, sent } = generation;
    const outcome = run!.outcome!;
    // The last step's tokens become final only at the end; in beam modes all tokens do.
    for (const [index, { tokens, logprobs }] of outcome.sequences.entries()) {
      const from = sent[index] ?? 0;
      this.#send(generation, index, tokens.slice(from), logprobs?.slice(from));
    }
    const endedAt = this.#options.now();
    const startedAt = generation.startedAt ?? endedAt;
    this.#remove(generation);
    listener.event({
      type: 'finished',
      outcome,
      usage: {
        promptTokens: request.prompt.length,
        generatedTokens: outcome.sequences.reduce((sum, { tokens }) => sum + tokens.length, 0),
        cachedTokens: run!.cachedTokens,
        queueMs: startedAt - arrivedAt,
        computeMs: endedAt - startedAt,
      },
    });
  }

  #fail(generation: Generation, error: Error): void {
    this.#remove(generation);
    // Parameters that leave no way on are the caller's doing, and no fault of the engine.
    generation.listener.failed(
      error instanceof DecodingError ? new ModelError('generation_impossible', error.message, { cause: error }) : error,
    );
  }

  #remove(generation: Generation): void {
    for (const list of [this.#waiting, this.#active]) {
      const at = list.indexOf(generation);
      if (at >= 0) list.splice(at, 1);
    }
    generation.run?.release();
  }
}
