/**
 * The loop beside the model: many generations share one `LanguageModel`, joining and leaving between evaluations.
 *
 * A generation is **waiting** (submitted, no cache yet) → **active** (has sequences, takes part in evaluations)
 * → **ended** (outcome, failure or cancellation; its sequences are released at once).
 *
 * Invariants
 * - An active generation has a reservation of cache cells and sequences that covers its worst case, so an admitted
 *   generation never fails for lack of cache. Waiting ones are admitted in order of arrival.
 * - Only the loop touches the model, and only between evaluations.
 * - A strategy that throws ends its own generation; an evaluation that fails ends those that took part in it.
 */
import { type GenerateConfig, type GenerateOutcome, type Strategy, widestAsk } from '@gptj-cloud/decoding';
import { type LanguageModel, ModelError, type TokenId } from '@gptj-cloud/model';
import type { GenerationEvent, GenerationRequest } from '../engine.ts';
import { planBatch, type Slice } from './batch-plan.ts';
import { StrategyRun } from './strategy-run.ts';

export interface SchedulerOptions {
  readonly model: LanguageModel;
  /** Makes the strategy of a request. */
  readonly strategy: (request: GenerationRequest) => Strategy<GenerateOutcome>;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Prompt tokens computed beside others' decoding steps. Default 256. */
  readonly prefillTokens?: number;
}

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
  const rows = widestAsk(config);
  const grown = Math.max(0, config.maxLength - prompt.length) + 1;
  return { cells: prompt.length + rows * grown, sequences: rows === 1 ? 1 : 2 * rows };
}

export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #waiting: Generation[] = [];
  readonly #active: Generation[] = [];
  #evaluation: { readonly abort: AbortController; readonly taking: ReadonlySet<StrategyRun> } | null = null;
  #loop: Promise<void> | null = null;
  #closed = false;

  constructor(options: SchedulerOptions) {
    this.#options = options;
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
      const most = Math.max(request.prompt.length, request.config.maxLength);
      throw new ModelError(
        'context_full',
        `expected at most ${contextLength} tokens of prompt and output together, got ${most}`,
      );
    }
    const reservation = reserve(request.prompt, request.config);
    if (reservation.cells > model.limits.cacheCells) {
      throw new ModelError(
        'cache_full',
        `this request needs ${reservation.cells} positions of cache, the engine has ${model.limits.cacheCells}: ask for fewer tokens, beams or sequences`,
      );
    }
    if (reservation.sequences > model.limits.maxSequences) {
      throw new ModelError(
        'too_many_sequences',
        `this request needs ${reservation.sequences} sequences, the engine has ${model.limits.maxSequences}: ask for fewer beams or sequences`,
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

  /** Cancel everything and wait until the model is idle. Idempotent. Does not close the model. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const generation of [...this.#waiting, ...this.#active]) this.#cancel(generation);
    while (this.#loop !== null) await this.#loop;
  }

  #wake(): void {
    this.#loop ??= this.#work().finally(() => {
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
    const { limits } = this.#options.model;
    for (;;) {
      const next = this.#waiting[0];
      if (next === undefined) return;
      const cells = this.#active.reduce((sum, { reservation }) => sum + reservation.cells, next.reservation.cells);
      const sequences = this.#active.reduce(
        (sum, { reservation }) => sum + reservation.sequences,
        next.reservation.sequences,
      );
      if (cells > limits.cacheCells || sequences > limits.maxSequences) return;
      this.#waiting.shift();
      this.#active.push(next);
      try {
        next.run = new StrategyRun(this.#options.model, this.#options.strategy(next.request));
        next.run.begin();
        if (next.run.outcome !== null) this.#finish(next);
      } catch (error) {
        this.#fail(next, error as Error);
      }
    }
  }

  async #evaluate(): Promise<void> {
    const { model, prefillTokens = 256 } = this.#options;
    const runs = this.#active.map(({ run }) => run!);
    const slices = planBatch(runs, { maxTokens: model.limits.maxBatchTokens, prefillTokens });
    const taking = new Set(slices.map(({ run }) => run));
    for (const generation of this.#active) if (taking.has(generation.run!)) this.#start(generation);
    if (slices.length > 0 && !(await this.#compute(slices, taking))) return;
    for (const generation of [...this.#active]) {
      if (generation.cancelled) continue;
      if (generation.run!.complete) this.#advance(generation);
      else if (taking.has(generation.run!)) generation.run!.keep();
    }
  }

  /** Run one evaluation. False when it failed; the generations in it are then dealt with. */
  async #compute(slices: readonly Slice[], taking: ReadonlySet<StrategyRun>): Promise<boolean> {
    const abort = new AbortController();
    this.#evaluation = { abort, taking };
    try {
      const steps = slices.map(({ run, work, count }) => run.step(work, count));
      const results = await this.#options.model.evaluate(steps, abort.signal);
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
      const settled = generation.run!.advance();
      for (const { index, tokens } of settled) this.#send(generation, index, tokens);
      if (generation.run!.outcome !== null) this.#finish(generation);
    } catch (error) {
      this.#fail(generation, error as Error);
    }
  }

  #send(generation: Generation, index: number, tokens: readonly TokenId[]): void {
    if (tokens.length === 0) return;
    generation.sent[index] = (generation.sent[index] ?? 0) + tokens.length;
    generation.listener.event({ type: 'tokens', index, tokens });
  }

  #finish(generation: Generation): void {
    const { request, listener, run, arrivedAt, sent } = generation;
    const outcome = run!.outcome!;
    // What the last step chose is settled by the end; of beam modes, everything.
    for (const [index, { tokens }] of outcome.sequences.entries())
      this.#send(generation, index, tokens.slice(sent[index] ?? 0));
    const endedAt = this.#options.now();
    const startedAt = generation.startedAt ?? endedAt;
    this.#remove(generation);
    listener.event({
      type: 'finished',
      outcome,
      usage: {
        promptTokens: request.prompt.length,
        generatedTokens: outcome.sequences.reduce((sum, { tokens }) => sum + tokens.length, 0),
        cachedTokens: 0,
        queueMs: startedAt - arrivedAt,
        computeMs: endedAt - startedAt,
      },
    });
  }

  #fail(generation: Generation, error: Error): void {
    this.#remove(generation);
    generation.listener.failed(error);
  }

  #remove(generation: Generation): void {
    for (const list of [this.#waiting, this.#active]) {
      const at = list.indexOf(generation);
      if (at >= 0) list.splice(at, 1);
    }
    generation.run?.release();
  }
}
