/**
 * Random numbers for sampling, in independent streams: returned row i draws from stream i alone, so row 0 does
 * not depend on num_return_sequences.
 */
export interface NoiseSource {
  /** Numbers strictly between 0 and 1, one per call. The same index gives the same numbers from the start. */
  stream(index: number): () => number;
}

/**
 * The production source: xoshiro128++ (Blackman and Vigna, 2019), 53-bit uniforms; each stream's 128-bit state is
 * hashed from seed and stream index. `seed`: an integer from 0 to 2^53-1.
 */
export function seededNoise(seed: number): NoiseSource {
  const low = seed >>> 0;
  const high = Math.floor(seed / 2 ** 32) >>> 0;
  return { stream: (index) => xoshiro128(low, high, index >>> 0) };
}

/** A seed from the platform's entropy. */
export function freshSeed(): number {
  const [low, high] = crypto.getRandomValues(new Uint32Array(2));
  return (high! >>> 11) * 2 ** 32 + low!;
}

function xoshiro128(low: number, high: number, index: number): () => number {
  const word = (lane: number) =>
    mix((mix((mix((mix(low + Math.imul(lane, 0x9e3779b9)) + high) >>> 0) + index) >>> 0) + lane) >>> 0);
  let a = word(1);
  let b = word(2);
  let c = word(3);
  let d = word(4);
  // The all-zero state is the one fixed point of the generator.
  if ((a | b | c | d) === 0) a = 1;
  const next = (): number => {
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
  // Offset by half a step, so that neither 0 nor 1 occurs.
  return () => ((next() >>> 6) * 2 ** 26 + (next() >>> 6) + 0.5) / 2 ** 52;
}

/** A 32-bit mixing function without fixed structure ("lowbias32", Wellons 2018). */
function mix(value: number): number {
  let x = value >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}
