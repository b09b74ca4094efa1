import { cpus } from 'node:os';
import { readSystemFile } from './read-text.ts';

export interface FreeCoresOptions {
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Milliseconds that the cores have been idle, all together, since the system started. */
  readonly idleMs?: () => number;
  /** Milliseconds of processor time that this process has used. */
  readonly ownMs?: () => number;
  /** Cores that no other process uses at this moment; null where the system does not say. */
  readonly freeNow?: () => number | null;
}

/** Shorter windows are too coarse: systems count processor time in steps of 10 ms. */
const MIN_WINDOW_MS = 100;
/** An estimate is renewed when it is this old. */
const WINDOW_MS = 250;
/** A window of a process that has paused for so long says little about now. */
const PAUSE_MS = 1_000;

/**
 * Estimates how many cores this process can have beside others: those that were idle, and those that it used. After a pause the
 * estimate is first of the moment.
 */
export class FreeCores {
  readonly #now: () => number;
  readonly #idleMs: () => number;
  readonly #ownMs: () => number;
  readonly #freeNow: () => number | null;
  #begin: Sample;
  #estimate: number | null = null;
  #windowMs = MIN_WINDOW_MS;

  constructor({ now, idleMs = systemIdleMs, ownMs = processMs, freeNow = idleCores }: FreeCoresOptions) {
    this.#freeNow = freeNow;
    this.#now = now;
    this.#idleMs = idleMs;
    this.#ownMs = ownMs;
    this.#begin = this.#sample();
  }

  /** The estimate of the latest window; null before the first one has passed. */
  estimate(): number | null {
    const sinceMs = this.#now() - this.#begin.atMs;
    if (sinceMs < this.#windowMs) return this.#estimate;
    const end = this.#sample();
    const free = this.#estimate !== null && sinceMs > PAUSE_MS ? this.#freeNow() : null;
    this.#windowMs = free === null ? WINDOW_MS : MIN_WINDOW_MS;
    if (free !== null) {
      this.#begin = end;
      this.#estimate = free;
      return free;
    }
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

/** Linux counts what runs or waits for a core at this moment, this thread included. */
function idleCores(): number | null {
  const running = /^\S+ \S+ \S+ (\d+)\//.exec(readSystemFile('/proc/loadavg') ?? '')?.[1];
  return running === undefined ? null : Math.max(0, cpus().length - (Number(running) - 1));
}
