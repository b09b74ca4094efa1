import { mix32 } from './cell-noise.ts';

/**
 * 32-bit words of xoshiro128++ (Blackman and Vigna, 2019); the 128-bit state is hashed from seed and
 * stream index. `seed`: an integer from 0 to 2^53-1.
 */
export function xoshiro128(seed: number, index: number): () => number {
  const low = seed >>> 0;
  const high = Math.floor(seed / 2 ** 32) >>> 0;
  const word = (lane: number) =>
    mix32((mix32((mix32(mix32(low + Math.imul(lane, 0x9e3779b9)) + high) >>> 0) + (index >>> 0)) >>> 0) + lane) >>> 0;
  let a = word(1);
  let b = word(2);
  let c = word(3);
  let d = word(4);
  // The all-zero state is the one fixed point of the generator.
  if ((a | b | c | d) === 0) a = 1;
  return () => {
    const sum = (a + d) >>> 0;
    const result = (((sum << 7) | (sum >>> 25)) + a) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return result;
  };
}
