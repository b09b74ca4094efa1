import { xoshiro128 } from '../numerics/xoshiro128.ts';

/** 52-bit numbers strictly between 0 and 1, one per call. `seed`: an integer from 0 to 2^53-1. */
export function seededUniforms(seed: number, index = 0): () => number {
  const word = xoshiro128(seed, index);
  // Offset by half a step, so that neither 0 nor 1 occurs.
  return () => ((word() >>> 6) * 2 ** 26 + (word() >>> 6) + 0.5) / 2 ** 52;
}
