/** The parts of CPython's `random.Random` that lm-evaluation-harness uses (CPython 3.11, `Lib/random.py`). */
import { MersenneTwister } from './mersenne-twister.ts';

export interface PythonRandom {
  /** A float from 0 to below 1, of 53 bits. */
  random(): number;
  /** `sample(range(size), count)`: different indices in the order in which they are drawn. */
  sampleIndices(size: number, count: number): readonly number[];
}

/** `random.Random(seed)`. The seed is an integer from 0 to 2^32 - 1. */
export function createPythonRandom(seed: number): PythonRandom {
  const twister = new MersenneTwister([seed]);

  /** `_randbelow`: as many bits as the bound has, drawn again while they are not below it. */
  const below = (bound: number): number => {
    const bits = 32 - Math.clz32(bound);
    let value = bits === 0 ? 0 : twister.next() >>> (32 - bits);
    while (value >= bound) value = twister.next() >>> (32 - bits);
    return value;
  };

  return {
    random() {
      const high = twister.next() >>> 5;
      const low = twister.next() >>> 6;
      return (high * 67_108_864 + low) / 9_007_199_254_740_992;
    },
    sampleIndices(size, count) {
      if (count > size) throw new RangeError(`expected at most ${size} indices, got ${count}`);
      // Python copies the population when a set of the chosen would take as much space.
      const setSize = 21 + (count > 5 ? 4 ** Math.ceil(Math.log(count * 3) / Math.log(4)) : 0);
      if (size > setSize) {
        const chosen = new Set<number>();
        while (chosen.size < count) chosen.add(below(size));
        return [...chosen];
      }
      const pool = Array.from({ length: size }, (_, at) => at);
      return Array.from({ length: count }, (_, at) => {
        const drawn = below(size - at);
        const index = pool[drawn]!;
        pool[drawn] = pool[size - at - 1]!;
        return index;
      });
    },
  };
}
