/**
 * Chooses the number of threads of an evaluation while other processes use the cores. llama.cpp's threads synchronise
 * hundreds of times in one batch, by spinning: when the system gives one thread's core to another process, the other
 * threads spin until it runs again, and a step of a small model takes up to a hundred times as long (measured: see
 * `docs/decisions.md`).
 *
 * The system's count of free cores decides first: an evaluation uses at most as many threads as there are free cores, so
 * that the first one on a busy machine is not the slow one that shows it. Where the system counts cores that this process
 * may not use, as in a container, measurements decide.
 *
 * States: **uncontended** (all threads compute) → **contended** (cores are missing, or the threads lost more than `LOST_SHARE`
 * of their time; for every batch size the thread counts that the free cores allow are measured, and the fastest is used) →
 * uncontended, when the cores are free, and `CONTENDED_MS` after the last sign of contention. Evaluations that would take a
 * single thread longer than `MAX_GOVERNED_MS` always use all threads: they synchronise rarely for their length, and measuring
 * fewer threads would cost more than it could save.
 */

import type { GptjConfig } from '@gptj-cloud/model';

export interface ThreadGovernorOptions {
  /** Number of threads when the cores are free. */
  readonly maxThreads: number;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Cores that this process can have beside others; null where that is not known yet. */
  readonly freeCores: () => number | null;
  /** Milliseconds that an evaluation of this many tokens takes one thread, roughly. */
  readonly singleThreadMs: (tokens: number) => number;
}

/** Contention is decided over at least this much time of evaluations: processor time is coarse below it. */
const WINDOW_MS = 20;
/** Share of the threads' time without a core from which on the cores count as contended. */
const LOST_SHARE = 0.12;
/** Time of an evaluation in which not all threads compute even on a free machine: at its start and end. */
const OVERHEAD_MS = 1;
/** Evaluations that take one thread longer always use all threads. */
const MAX_GOVERNED_MS = 300;
/** Free cores are counted up from this fraction of a core: the estimate is coarse. */
const PART_OF_CORE = 0.6;
/** The cores count as contended for this long after the last sign of contention. */
const CONTENDED_MS = 2_000;
/** A thread count is measured again when its measurement is this old … */
const STALE_MS = 1_000;
/** … and older than this many of its evaluations. */
const STALE_EVALUATIONS = 30;
/** Weight of the newest measurement: low, because a rare long delay must not be averaged away by the next few. */
const SMOOTHING = 0.05;

/** Operations that a core computes in a millisecond, roughly: it distinguishes small models from large ones. */
const OPERATIONS_PER_MS = 2e7;

/** Roughly the time in which one thread evaluates a token: two operations a weight. The embedding is looked up. */
export function singleThreadMs({ layerCount, embeddingSize, vocabSize }: GptjConfig): number {
  return (2 * embeddingSize * (12 * layerCount * embeddingSize + vocabSize)) / OPERATIONS_PER_MS;
}

interface Measurement {
  /** Average time of one evaluation; 0 before the first. */
  averageMs: number;
  /** Null before the first. */
  measuredAt: number | null;
}

export class ThreadGovernor {
  readonly #now: () => number;
  readonly #freeCores: () => number | null;
  readonly #singleThreadMs: (tokens: number) => number;
  /** Thread counts to measure, descending; the first is all threads. */
  readonly #counts: readonly number[];
  /** By the binary logarithm of the number of tokens, rounded up: one per thread count, made while the cores were contended. */
  readonly #sizes = new Map<number, readonly Measurement[]>();
  #contendedUntil = Number.NEGATIVE_INFINITY;
  /** Time of all threads since contention was last decided. */
  #spentMs = 0;
  /** The part of it in which they had no core. */
  #lostMs = 0;

  constructor({ maxThreads, now, freeCores, singleThreadMs }: ThreadGovernorOptions) {
    this.#now = now;
    this.#freeCores = freeCores;
    this.#singleThreadMs = singleThreadMs;
    this.#counts = [...new Set([maxThreads, maxThreads - 1, maxThreads >> 1, 1])].filter((count) => count >= 1);
  }

  /** Number of threads for an evaluation of `tokens` tokens. */
  threads(tokens: number): number {
    const all = this.#counts[0]!;
    if (all === 1 || this.#singleThreadMs(tokens) > MAX_GOVERNED_MS) return all;
    const now = this.#now();
    const free = this.#freeCores();
    if (free === null) return 1;
    const allowed = Math.max(1, Math.floor(free + 1 - PART_OF_CORE));
    if (allowed < all) this.#contendedUntil = now + CONTENDED_MS;
    else if (now >= this.#contendedUntil) return all;
    const measurements = this.#sizeOf(tokens);
    const open = this.#counts.flatMap((count, at) => (count <= allowed ? [{ count, ...measurements[at]! }] : []));
    const stale = open.find(
      ({ averageMs, measuredAt }) =>
        measuredAt === null || now - measuredAt > Math.max(STALE_MS, STALE_EVALUATIONS * averageMs),
    );
    const fastest = open.reduce((best, one) => (one.averageMs < best.averageMs ? one : best));
    return (stale ?? fastest).count;
  }

  /** Record an evaluation: its wall time, and the processor time that this process used meanwhile. */
  measured(evaluation: {
    readonly tokens: number;
    readonly threads: number;
    readonly wallMs: number;
    readonly cpuMs: number;
  }): void {
    const { tokens, threads, wallMs, cpuMs } = evaluation;
    const now = this.#now();
    // A single thread that loses its core keeps no other thread waiting.
    if (threads > 1) {
      this.#spentMs += wallMs * threads;
      this.#lostMs += Math.max(0, (wallMs - OVERHEAD_MS) * threads - cpuMs);
    }
    if (this.#spentMs >= WINDOW_MS * threads) {
      if (this.#lostMs > LOST_SHARE * this.#spentMs) this.#contendedUntil = now + CONTENDED_MS;
      this.#spentMs = 0;
      this.#lostMs = 0;
    }
    const measurements = this.#sizeOf(tokens);
    const measurement = measurements[this.#counts.indexOf(threads)];
    if (measurement === undefined) return;
    if (now >= this.#contendedUntil) {
      // Measurements under an earlier contention do not apply to the next one.
      for (const each of measurements) each.measuredAt = null;
      return;
    }
    const { averageMs, measuredAt } = measurement;
    measurement.averageMs = measuredAt === null ? wallMs : averageMs + SMOOTHING * (wallMs - averageMs);
    measurement.measuredAt = now;
  }

  #sizeOf(tokens: number): readonly Measurement[] {
    const power = Math.ceil(Math.log2(Math.max(1, tokens)));
    const known = this.#sizes.get(power);
    if (known !== undefined) return known;
    const made = this.#counts.map((): Measurement => ({ averageMs: 0, measuredAt: null }));
    this.#sizes.set(power, made);
    return made;
  }
}
