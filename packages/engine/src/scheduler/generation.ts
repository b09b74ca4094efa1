/**
 * One generation in the scheduler: its request, what it reserves, and the events it reports to its listener.
 *
 * States: **waiting** (no `run`) → **active** (`run` is set and owns sequences) → **ended** (`finish` or `fail` was called;
 * its sequences are released). The listener receives `started` once, then tokens in order, then exactly one end.
 */
import {
  type BeamCandidate,
  computedTokens,
  DecodingError,
  type FinalTokens,
  type GenerateConfig,
  type GenerateOutcome,
  maxRows,
} from '@gptj-cloud/decoding';
import { adaptersKey, ModelError, type TokenId } from '@gptj-cloud/model';
import type { GenerationEvent, GenerationRequest } from '../engine.ts';
import { toModelError } from '../to-model-error.ts';
import type { LabelledPrompt } from './prefix-cache.ts';
import type { StrategyRun } from './strategy-run.ts';
import { TimeLimit } from './time-limit.ts';

/** Receives a generation's events. The scheduler's loop calls it; it must not throw. */
export interface GenerationListener {
  event(event: GenerationEvent): void;
  /** The generation failed; no event follows. */
  failed(error: Error): void;
}

/** The cache cells and sequences that a generation needs in the worst case. */
export interface Reservation {
  readonly cells: number;
  readonly sequences: number;
}

function worstCase(prompt: readonly TokenId[], config: GenerateConfig): Reservation {
  const rows = maxRows(config);
  const grown = Math.max(0, config.maxLength - prompt.length) + 1;
  // While rows are forked, rows of the previous request are open beside those of the next one.
  return { cells: prompt.length + rows * grown, sequences: rows === 1 ? 1 : 2 * rows };
}

function timeUp(code: 'queue_timed_out' | 'generation_timed_out', what: string, ms: number | undefined): ModelError {
  return new ModelError(code, `${what} took longer than ${(ms ?? 0) / 1000} s, the limit of this request`);
}

export class Generation {
  readonly request: GenerationRequest;
  readonly reservation: Reservation;
  readonly arrivedAt: number;
  run: StrategyRun | null = null;
  /** Milliseconds of its last step: the strategy's part, without the evaluation. */
  stepMs = 0;
  /** Number of evaluated requests of its strategy, the prompt's included. */
  steps = 0;
  /** When its prompt was evaluated; null before. */
  firstStepAt: number | null = null;
  /** Why it is to end before its time; null: it is not. */
  cancellation: ModelError | null = null;
  /** `adaptersKey` of the request. */
  readonly adapters: string;
  readonly #listener: GenerationListener;
  readonly #now: () => number;
  #startedAt: number | null = null;
  #limitCompute = (): void => {};
  readonly #timeLimit = new TimeLimit();
  /** Number of tokens reported of each returned sequence. */
  readonly #reported: number[] = [];
  #searchedSteps = 0;
  /** Computed tokens as the events so far state or imply them. */
  #knownComputed = 0;

  /** @param now milliseconds, monotonic */
  constructor(request: GenerationRequest, listener: GenerationListener, now: () => number) {
    this.request = request;
    this.adapters = adaptersKey(request.config.lora);
    this.reservation = worstCase(request.prompt, request.config);
    this.arrivedAt = now();
    this.#listener = listener;
    this.#now = now;
  }

  get tenant(): string | null {
    return this.request.tenant ?? null;
  }

  get priority(): number {
    return this.request.priority ?? 0;
  }

  /** Null: the request has no labels. */
  get labelled(): LabelledPrompt | null {
    const { prompt, prefixLabels } = this.request;
    return prefixLabels === undefined ? null : { prompt, labels: prefixLabels };
  }

  get isCancelled(): boolean {
    return this.cancellation !== null;
  }

  countStep(): void {
    this.steps++;
    this.firstStepAt ??= this.#now();
  }

  /** Limit the time in the queue and, from its start on, the time of computation, as the request says. */
  limitTime(onTimeUp: (error: ModelError) => void): void {
    const { maxQueueMs, maxComputeMs } = this.request;
    this.#limitCompute = () =>
      this.#timeLimit.set(maxComputeMs, () => onTimeUp(timeUp('generation_timed_out', 'generation', maxComputeMs)));
    this.#timeLimit.set(maxQueueMs, () => onTimeUp(timeUp('queue_timed_out', 'waiting', maxQueueMs)));
  }

  /** Report that the first evaluation begins; later calls do nothing. */
  reportStart(): void {
    if (this.#startedAt !== null) return;
    this.#startedAt = this.#now();
    this.#timeLimit.clear();
    this.#limitCompute();
    this.#listener.event({ type: 'started' });
    this.#knownComputed = this.request.prompt.length;
    this.reportComputed();
  }

  reportTokens({ index, tokens, reports }: FinalTokens): void {
    if (tokens.length === 0) return;
    this.#reported[index] = (this.#reported[index] ?? 0) + tokens.length;
    this.#knownComputed = Math.max(this.#knownComputed, this.request.prompt.length + this.#reportedTokens);
    const atMs = this.#now() - this.arrivedAt;
    const logprobs = reports === undefined ? {} : { logprobs: reports };
    this.#listener.event({ type: 'tokens', index, tokens, atMs, ...logprobs });
  }

  /** Report what the next step of a beam search considered. */
  reportSearched(candidates: readonly BeamCandidate[]): void {
    this.#listener.event({ type: 'searched', step: this.#searchedSteps++, candidates });
  }

  /** Report the computed tokens, those of the step that comes next included, unless the events so far imply them. */
  reportComputed(): void {
    const computedTokens = this.#computedTokens;
    if (computedTokens <= this.#knownComputed) return;
    this.#knownComputed = computedTokens;
    this.#listener.event({ type: 'computed', computedTokens });
  }

  /** Report the outcome, after the tokens that were not final before: those of the last step, in beam modes all. */
  finish(outcome: GenerateOutcome): void {
    this.#timeLimit.clear();
    const { request, run } = this;
    for (const [index, { tokens, logprobs }] of outcome.sequences.entries()) {
      const from = this.#reported[index] ?? 0;
      const reports = logprobs === undefined ? {} : { reports: logprobs.slice(from) };
      this.reportTokens({ index, tokens: tokens.slice(from), ...reports });
    }
    for (const step of outcome.beams?.slice(this.#searchedSteps) ?? []) this.reportSearched(step);
    const endedAt = this.#now();
    const startedAt = this.#startedAt ?? endedAt;
    run?.release();
    this.#listener.event({
      type: 'finished',
      outcome,
      usage: {
        promptTokens: request.prompt.length,
        generatedTokens: this.#reportedTokens,
        computedTokens: this.#computedTokens,
        cachedTokens: run?.cachedTokens ?? 0,
        queueMs: startedAt - this.arrivedAt,
        computeMs: endedAt - startedAt,
      },
    });
  }

  get #reportedTokens(): number {
    return this.#reported.reduce((sum, count) => sum + (count ?? 0), 0);
  }

  get #computedTokens(): number {
    return computedTokens(this.run?.positions ?? 0, this.request.prompt.length, this.#reportedTokens);
  }

  fail(error: Error): void {
    this.#timeLimit.clear();
    this.run?.release();
    // Parameters that forbid every token or cost too much are the caller's mistake, not a fault of the engine.
    this.#listener.failed(error instanceof DecodingError ? toModelError(error) : error);
  }
}
