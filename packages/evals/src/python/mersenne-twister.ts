/**
 * MT19937 with 32-bit output (Matsumoto and Nishimura, 1998), seeded by an array of words like CPython's `random.seed`.
 * Standard errors and few-shot examples of lm-evaluation-harness depend on this sequence.
 */
const SIZE = 624;
const SHIFT = 397;

export class MersenneTwister {
  readonly #state = new Uint32Array(SIZE);
  #at = SIZE;

  /** `init_by_array`: `key` has at least one word. */
  constructor(key: readonly number[]) {
    const state = this.#state;
    state[0] = 19650218;
    for (let at = 1; at < SIZE; at++) {
      const before = state[at - 1]! ^ (state[at - 1]! >>> 30);
      state[at] = Math.imul(1812433253, before) + at;
    }
    let at = 1;
    let word = 0;
    for (let left = Math.max(SIZE, key.length); left > 0; left--) {
      const before = state[at - 1]! ^ (state[at - 1]! >>> 30);
      state[at] = (state[at]! ^ Math.imul(before, 1664525)) + key[word]! + word;
      if (++at >= SIZE) {
        state[0] = state[SIZE - 1]!;
        at = 1;
      }
      if (++word >= key.length) word = 0;
    }
    for (let left = SIZE - 1; left > 0; left--) {
      const before = state[at - 1]! ^ (state[at - 1]! >>> 30);
      state[at] = (state[at]! ^ Math.imul(before, 1566083941)) - at;
      if (++at >= SIZE) {
        state[0] = state[SIZE - 1]!;
        at = 1;
      }
    }
    state[0] = 0x80000000;
  }

  /** The next word, 0 to 2^32 - 1. */
  next(): number {
    if (this.#at >= SIZE) this.#refill();
    let word = this.#state[this.#at++]!;
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    return (word ^ (word >>> 18)) >>> 0;
  }

  #refill(): void {
    const state = this.#state;
    let at = 0;
    for (; at < SIZE - SHIFT; at++) state[at] = state[at + SHIFT]! ^ twist(state[at]!, state[at + 1]!);
    for (; at < SIZE - 1; at++) state[at] = state[at + SHIFT - SIZE]! ^ twist(state[at]!, state[at + 1]!);
    state[at] = state[SHIFT - 1]! ^ twist(state[at]!, state[0]!);
    this.#at = 0;
  }
}

function twist(high: number, low: number): number {
  const bits = (high & 0x80000000) | (low & 0x7fffffff);
  return (bits >>> 1) ^ (-(bits & 1) & 0x9908b0df);
}
