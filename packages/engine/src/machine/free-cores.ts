import { cpus } from 'node:os';

export interface FreeCoresOptions {
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Milliseconds that the cores have been idle, all together, since the system started. */
  readonly idleMs?: () => number;
  /** Milliseconds of processor time that this process has used. */
  readonly ownMs?: () => number;
}

/** Shorter windows are too coarse: systems count processor time in steps of 10 ms. */
const MIN_WINDOW_MS = 100;
/** An estimate is renewed when it is this old. */
const WINDOW_MS = 250;

/** Estimates how many cores this process can have beside others: those that were idle, and those that it used. */
export class FreeCores {
  readonly #now: () => number;
  readonly #idleMs: () => number;
  readonly #ownMs: () => number;
  #begin: Sample;
  #estimate: number | null = null;

  constructor({ now, idleMs = systemIdleMs, ownMs = processMs }: FreeCoresOptions) {
    this.#now = now;
    this.#idleMs = idleMs;
    this.#ownMs = ownMs;
    this.#begin = this.#sample();
  }

  /** The estimate of the latest window; null before the first one has passed. */
  estimate(): number | null {
    const sinceMs = this.#now() - this.#begin.atMs;
    if (sinceMs < (this.#estimate === null ? MIN_WINDOW_MS : WINDOW_MS)) return this.#estimate;
    const end = this.#sample();
    const freeMs = end.idleMs - this.#begin.idleMs + (end.ownMs - this.#begin.ownMs);
    this.#begin = end;
    this.#estimate = Math.max(0, freeMs) / sinceMs;
    return this.#estimate;
  }

  #sample(): Sample {
    return { atMs: this.#now(), idleMs: this.#idleMs(), ownMs: this.#ownMs() };
  }
}

interface Sample {
  readonly atMs: number;
  readonly idleMs: number;
  readonly ownMs: number;
}

function systemIdleMs(): number {
  return cpus().reduce((sum, { times }) => sum + times.idle, 0);
}

function processMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
