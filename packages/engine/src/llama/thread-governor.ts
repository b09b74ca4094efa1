/**
 * How many threads compute a batch where others want the cores, too. llama.cpp's threads wait for each other hundreds of
 * times in one batch, spinning: when one of them loses its core to another process, or to the server beside this one,
 * all the others burn theirs until it has it back, and a step of a small model takes a hundred times as long (measured:
 * see `docs/decisions.md`).
 *
 * As long as the threads get the processor time that they ask for, all of them compute, and for long evaluations
 * always: they do much between two meetings, and trying fewer threads would cost more than it can save. Else fewer are
 * tried beside all, for batches of a size, and the count that has been fastest is used until the others leave.
 */

export interface ThreadGovernorOptions {
  readonly max: number;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

/** Evaluations shorter than this together say too little about processor time. */
const WINDOW_MS = 20;
/** Share of the threads' time without a core from which somebody else is at work. */
const LOST_SHARE = 0.12;
/** Of an evaluation, what may pass before all threads compute and after they end, though nobody disturbs them. */
const OVERHEAD_MS = 1;
/** Evaluations that take longer at their best are left alone. */
const MAX_GOVERNED_MS = 20;
/** The cores count as wanted for this long after the last sign of it. */
const CONTENDED_MS = 2_000;
/** Each count is tried again when its figure is this old … */
const STALE_MS = 1_000;
/** … or this many times as old as what it measures. */
const STALE_EVALUATIONS = 30;
/** Weight of the newest measurement: rarely held up is still held up, and must not be forgotten by the next few. */
const SMOOTHING = 0.05;

/** What is known of batches of a size. */
interface Size {
  /** The quickest evaluation there was. */
  leastMs: number;
  /** One for each count, since the cores have been wanted. */
  readonly figures: readonly Figure[];
}

interface Figure {
  /** Of one evaluation; 0 before the first. */
  ms: number;
  /** Null before the first. */
  measuredAt: number | null;
}

export class ThreadGovernor {
  readonly #now: () => number;
  /** Thread counts that are worth trying, all first. */
  readonly #counts: readonly number[];
  /** By the size of batches: powers of two. */
  readonly #sizes = new Map<number, Size>();
  #contendedUntil = Number.NEGATIVE_INFINITY;
  /** The threads' time since the last look, and what of it they were without a core. */
  #spentMs = 0;
  #lostMs = 0;

  constructor({ max, now }: ThreadGovernorOptions) {
    this.#now = now;
    this.#counts = [...new Set([max, max - 1, max >> 1, 1])].filter((count) => count >= 1);
  }

  /** Threads for the next evaluation, of so many tokens. */
  threads(tokens: number): number {
    const all = this.#counts[0]!;
    const now = this.#now();
    const { leastMs, figures } = this.#sizeOf(tokens);
    if (now >= this.#contendedUntil || leastMs > MAX_GOVERNED_MS) return all;
    const stale = figures.findIndex(
      ({ ms, measuredAt }) => measuredAt === null || now - measuredAt > Math.max(STALE_MS, STALE_EVALUATIONS * ms),
    );
    if (stale >= 0) return this.#counts[stale]!;
    const fastest = figures.reduce((best, figure, i) => (figure.ms < figures[best]!.ms ? i : best), 0);
    return this.#counts[fastest]!;
  }

  /** An evaluation took so long, and so much processor time of this process. */
  measured(evaluation: {
    readonly tokens: number;
    readonly threads: number;
    readonly wallMs: number;
    readonly cpuMs: number;
  }): void {
    const { tokens, threads, wallMs, cpuMs } = evaluation;
    const now = this.#now();
    // One thread alone can be held up as well, but nobody waits for it.
    if (threads > 1) {
      this.#spentMs += wallMs * threads;
      this.#lostMs += Math.max(0, (wallMs - OVERHEAD_MS) * threads - cpuMs);
    }
    if (this.#spentMs >= WINDOW_MS * threads) {
      if (this.#lostMs > LOST_SHARE * this.#spentMs) this.#contendedUntil = now + CONTENDED_MS;
      this.#spentMs = 0;
      this.#lostMs = 0;
    }
    const size = this.#sizeOf(tokens);
    size.leastMs = Math.min(size.leastMs, wallMs);
    const figure = size.figures[this.#counts.indexOf(threads)];
    if (figure === undefined) return;
    if (now >= this.#contendedUntil) {
      // What was measured while others were at work says nothing about the next time.
      for (const each of size.figures) each.measuredAt = null;
      return;
    }
    figure.ms = figure.measuredAt === null ? wallMs : figure.ms + SMOOTHING * (wallMs - figure.ms);
    figure.measuredAt = now;
  }

  #sizeOf(tokens: number): Size {
    const power = Math.ceil(Math.log2(Math.max(1, tokens)));
    const known = this.#sizes.get(power);
    if (known !== undefined) return known;
    const figures = this.#counts.map((): Figure => ({ ms: 0, measuredAt: null }));
    const made: Size = { leastMs: Number.POSITIVE_INFINITY, figures };
    this.#sizes.set(power, made);
    return made;
  }
}
