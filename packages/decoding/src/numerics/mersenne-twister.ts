const SIZE = 624;
const PERIOD = 397;

/** MT19937 (Matsumoto and Nishimura, 1998) as `torch` seeds it on the CPU: 32-bit outputs. */
export function mersenneTwister(seed: number): () => number {
  const state = new Uint32Array(SIZE);
  state[0] = seed;
  for (let at = 1; at < SIZE; at++) {
    const previous = state[at - 1]! ^ (state[at - 1]! >>> 30);
    state[at] = Math.imul(1812433253, previous) + at;
  }
  let position = SIZE;
  return () => {
    if (position === SIZE) {
      for (let at = 0; at < SIZE; at++) {
        const joined = (state[at]! & 0x80000000) | (state[(at + 1) % SIZE]! & 0x7fffffff);
        state[at] = state[(at + PERIOD) % SIZE]! ^ (joined >>> 1) ^ (joined & 1 ? 0x9908b0df : 0);
      }
      position = 0;
    }
    let output = state[position++]!;
    output ^= output >>> 11;
    output ^= (output << 7) & 0x9d2c5680;
    output ^= (output << 15) & 0xefc60000;
    return (output ^ (output >>> 18)) >>> 0;
  };
}

/** The first `count` entries of the permutation of 0 … size-1 that `torch.randperm` draws with this seed. */
export function permutationPrefix(size: number, count: number, seed: number): Int32Array {
  const next = mersenneTwister(seed);
  const permutation = new Int32Array(size);
  for (let at = 0; at < size; at++) permutation[at] = at;
  for (let at = 0; at < count && at < size - 1; at++) {
    const other = at + (next() % (size - at));
    const swapped = permutation[at]!;
    permutation[at] = permutation[other]!;
    permutation[other] = swapped;
  }
  return permutation.subarray(0, count);
}
