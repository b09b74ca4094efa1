/** Weight of the sums so far when an evaluation is added: the last twenty or so count. */
const DECAY = 0.95;
/** Numbers of steps whose variance is smaller give no slope. */
const MIN_VARIANCE = 4;

/**
 * The time of an evaluation of decoding steps as a fixed part, the weights being read once, and a part for each step: the
 * weighted least-squares line over the evaluations seen.
 */
export class DecodeCost {
  #weight = 0;
  #steps = 0;
  #ms = 0;
  #stepsSquared = 0;
  #stepsTimesMs = 0;

  add(steps: number, ms: number): void {
    this.#weight = this.#weight * DECAY + 1;
    this.#steps = this.#steps * DECAY + steps;
    this.#ms = this.#ms * DECAY + ms;
    this.#stepsSquared = this.#stepsSquared * DECAY + steps * steps;
    this.#stepsTimesMs = this.#stepsTimesMs * DECAY + steps * ms;
  }

  /** Null while the numbers of steps were nearly equal, or more steps took less time. */
  get line(): { readonly fixedMs: number; readonly stepMs: number } | null {
    if (this.#weight === 0) return null;
    const mean = this.#steps / this.#weight;
    const variance = this.#stepsSquared / this.#weight - mean * mean;
    if (variance < MIN_VARIANCE) return null;
    const meanMs = this.#ms / this.#weight;
    const stepMs = (this.#stepsTimesMs / this.#weight - mean * meanMs) / variance;
    return stepMs > 0 ? { stepMs, fixedMs: Math.max(0, meanMs - stepMs * mean) } : null;
  }
}
