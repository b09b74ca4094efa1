const SIZE = 624;
const PERIOD = 397;

const state = new Int32Array(SIZE);
const outputs = new Uint32Array(SIZE);
let position = SIZE;

/** MT19937 (Matsumoto and Nishimura, 1998) as `torch` seeds it on the CPU. There is one: seeding it again restarts it. */
function seedTwister(seed: number): void {
  state[0] = seed;
  for (let at = 1; at < SIZE; at++) {
    const previous = state[at - 1]! ^ (state[at - 1]! >>> 30);
    state[at] = Math.imul(1812433253, previous) + at;
  }
  position = SIZE;
}

/** The next 32-bit output. */
function nextOfTwister(): number {
  if (position === SIZE) twist();
  return outputs[position++]!;
}

/** The next output modulo `size`, of at most 2^20: exact in float64, whose division is faster than that of integers. */
function nextBelow(size: number): number {
  const output = nextOfTwister();
  return output - Math.floor(output / size) * size;
}

function twist(): void {
  for (let at = 0; at < SIZE - PERIOD; at++) twistAt(at, at + 1, at + PERIOD);
  for (let at = SIZE - PERIOD; at < SIZE - 1; at++) twistAt(at, at + 1, at + PERIOD - SIZE);
  twistAt(SIZE - 1, 0, PERIOD - 1);
  for (let at = 0; at < SIZE; at++) {
    let output = state[at]!;
    output ^= output >>> 11;
    output ^= (output << 7) & 0x9d2c5680;
    output ^= (output << 15) & 0xefc60000;
    outputs[at] = output ^ (output >>> 18);
  }
  position = 0;
}

function twistAt(at: number, next: number, other: number): void {
  const joined = (state[at]! & 0x80000000) | (state[next]! & 0x7fffffff);
  state[at] = state[other]! ^ (joined >>> 1) ^ (joined & 1 ? 0x9908b0df : 0);
}

/** The first `count` entries of the permutation of 0 … size-1 that `torch.randperm` draws with this seed. */
export function permutationPrefix(size: number, count: number, seed: number): Int32Array {
  seedTwister(seed);
  const permutation = new Int32Array(size);
  for (let at = 0; at < size; at++) permutation[at] = at;
  for (let at = 0; at < count && at < size - 1; at++) {
    const other = at + nextBelow(size - at);
    const swapped = permutation[at]!;
    permutation[at] = permutation[other]!;
    permutation[other] = swapped;
  }
  return permutation.subarray(0, count);
}

/**
 * The position of `value` among the first `count` entries of the same permutation, or -1. Follows that one value through the
 * exchanges, so that nothing is stored and the draws end where it is found.
 */
export function positionInPermutation(size: number, count: number, seed: number, value: number): number {
  seedTwister(seed);
  let held = value;
  for (let at = 0; at < count; at++) {
    // The last entry is what is left.
    if (at === size - 1) return at;
    const other = at + nextBelow(size - at);
    if (other === held) return at;
    if (at === held) held = other;
  }
  return -1;
}
