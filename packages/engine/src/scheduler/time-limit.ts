/** The longest time that setTimeout takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Calls a function when a time is over, unless another time was set or it was cleared before. */
export class TimeLimit {
  #timer: NodeJS.Timeout | undefined;

  /** @param ms undefined: no limit */
  set(ms: number | undefined, onEnd: () => void): void {
    this.clear();
    if (ms !== undefined) this.#timer = setTimeout(onEnd, Math.min(ms, MAX_TIMER_MS));
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}
