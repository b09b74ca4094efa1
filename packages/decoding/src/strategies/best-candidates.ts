import { STEPS } from '../work-budget.ts';
import type { Candidate } from './beam.ts';

/**
 * The `count` entries with the largest keys; of equal keys those added first. Entries are collected and cut to `count`
 * whenever twice as many are there, so that adding them in ascending order takes no longer than in another.
 */
export class BestCandidates {
  /** Threshold: larger keys may belong to the list, others do not. */
  min: number = Number.NEGATIVE_INFINITY;
  readonly #count: number;
  readonly #keys: Float64Array;
  readonly #scores: Float64Array;
  readonly #beams: Int32Array;
  readonly #tokens: Int32Array;
  #size = 0;
  #steps = 0;

  constructor(count: number) {
    const capacity = 2 * count + 64;
    this.#count = count;
    this.#keys = new Float64Array(capacity);
    this.#scores = new Float64Array(capacity);
    this.#beams = new Int32Array(capacity);
    this.#tokens = new Int32Array(capacity);
  }

  /** Add an entry whose key is above `min`. */
  add(key: number, beam: number, token: number, score: number): void {
    const at = this.#size++;
    this.#keys[at] = key;
    this.#scores[at] = score;
    this.#beams[at] = beam;
    this.#tokens[at] = token;
    if (this.#size === this.#keys.length) this.#cut();
  }

  /** Steps since the last call. */
  takeSteps(): number {
    const steps = this.#steps;
    this.#steps = 0;
    return steps;
  }

  /** Best first. */
  list(): Candidate[] {
    if (this.#size > this.#count) this.#cut();
    const order = Array.from({ length: this.#size }, (_, at) => at);
    order.sort((a, b) => this.#keys[b]! - this.#keys[a]! || a - b);
    return order.map((at) => ({ beam: this.#beams[at]!, token: this.#tokens[at]!, score: this.#scores[at]! }));
  }

  #cut(): void {
    const sorted = this.#keys.slice(0, this.#size).sort();
    const least = sorted[this.#size - this.#count]!;
    let above = 0;
    for (let at = this.#size - 1; at >= 0 && sorted[at]! > least; at--) above++;
    let equals = this.#count - above;
    let kept = 0;
    for (let at = 0; at < this.#size; at++) {
      const key = this.#keys[at]!;
      if (key < least || (key === least && equals-- <= 0)) continue;
      this.#keys[kept] = key;
      this.#scores[kept] = this.#scores[at]!;
      this.#beams[kept] = this.#beams[at]!;
      this.#tokens[kept++] = this.#tokens[at]!;
    }
    this.#steps += STEPS.map * this.#size;
    this.#size = kept;
    this.min = least;
  }
}
