/**
 * Decides when the engine's process is to be killed because it makes no progress, and which generation is to blame.
 *
 * Time is counted in looks of the watcher and ticks of this process, not read from a clock: when the machine sleeps, or
 * the whole container is paused, neither goes on, and nothing is killed afterwards.
 */
import { LOOK_MS, type SignsOfLife } from './signs-of-life.ts';

export interface StallLimits {
  /**
   * Longest silence of the main thread: of one step of a generation, or of the process as a whole. A step that uses the
   * processor for half of it, by the thread's own time, is ended as well: on a busy machine the other half is waiting.
   */
  readonly stallMs: number;
  /** Longest evaluation of the model. */
  readonly evaluationMs: number;
}

export interface Stall {
  /** For the operator's log. */
  readonly reason: string;
  /** The generation whose step did not return; null when no single one is to blame. */
  readonly generation: number | null;
}

/** After this long a silent step is suspected to stall. */
export const SUSPICION_MS = 1_500;
/** A cancelled generation may keep the main thread busy for this long. */
export const CANCEL_GRACE_MS = 3_000;

export class StallDetector {
  readonly #limits: StallLimits;
  readonly #isCancelled: (generation: number) => boolean;
  #last: SignsOfLife | null = null;
  /** Processor time of the main thread at the last progress. */
  #cpuAtProgress: number | null = null;
  /** Looks without progress of the main thread. */
  #silent = 0;
  /** Looks during which one evaluation went on. */
  #evaluating = 0;
  /** Ticks without a look. */
  #unseen = 0;

  /** @param isCancelled whether the generation's caller has left or cancelled it */
  constructor(limits: StallLimits, isCancelled: (generation: number) => boolean) {
    this.#limits = limits;
    this.#isCancelled = isCancelled;
  }

  /** The watcher reports a look. */
  look(signs: SignsOfLife): Stall | null {
    const last = this.#last;
    this.#last = signs;
    this.#unseen = 0;
    const isSilent = last !== null && last.beats === signs.beats && last.steps === signs.steps;
    if (!isSilent) this.#cpuAtProgress = signs.cpuMs;
    this.#silent = isSilent ? this.#silent + 1 : 0;
    const isSameEvaluation = last?.evaluations === signs.evaluations && signs.evaluations % 2 !== 0;
    this.#evaluating = isSameEvaluation ? this.#evaluating + 1 : 0;
    return this.#findSilence(signs) ?? this.#findLongEvaluation();
  }

  /** The generation whose step may stall; null: none. */
  get suspect(): number | null {
    const suspicionMs = Math.min(SUSPICION_MS, this.#limits.stallMs / 4);
    return this.#silent * LOOK_MS >= suspicionMs ? (this.#last?.generation ?? null) : null;
  }

  /** Another `LOOK_MS` of this process have passed. */
  tick(): Stall | null {
    this.#unseen++;
    if (this.#unseen * LOOK_MS < this.#limits.stallMs) return null;
    return { reason: `stalled: no sign of life for ${seconds(this.#limits.stallMs)}`, generation: null };
  }

  #findSilence({ generation, cpuMs }: SignsOfLife): Stall | null {
    const { stallMs } = this.#limits;
    const silentMs = this.#silent * LOOK_MS;
    const usedMs = cpuMs === null || this.#cpuAtProgress === null ? 0 : cpuMs - this.#cpuAtProgress;
    if (this.#silent > 0 && (silentMs >= stallMs || usedMs >= stallMs / 2)) {
      const what = generation === null ? 'the main thread' : 'one step of a generation';
      return { reason: `stalled: ${what} was busy for ${seconds(Math.max(silentMs, usedMs))}`, generation };
    }
    if (generation !== null && silentMs >= CANCEL_GRACE_MS && this.#isCancelled(generation)) {
      return { reason: 'stalled: a cancelled generation kept the main thread busy', generation };
    }
    return null;
  }

  #findLongEvaluation(): Stall | null {
    const { evaluationMs } = this.#limits;
    if (this.#evaluating * LOOK_MS < evaluationMs) return null;
    return {
      reason: `stalled: one evaluation of the model took longer than ${seconds(evaluationMs)}`,
      generation: null,
    };
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
