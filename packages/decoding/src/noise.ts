import type { DrawKey } from './numerics/cell-noise.ts';
import { xoshiro128 } from './numerics/xoshiro128.ts';

/**
 * Random numbers for sampling, in independent streams: returned row i draws from stream i alone, so row 0 does
 * not depend on num_return_sequences.
 */
export interface NoiseSource {
  /** The same index gives the same noise from the start. */
  stream(index: number): NoiseStream;
}

export type NoiseStream = KeyedStream | UniformStream;

/**
 * Noise per cell (a row and a token): each draw has a key, and the noise of a cell is a hash of key, row and token. No cell's
 * noise depends on the scores, so a small change of the scores changes the drawn token only where two tokens are
 * nearly equal. The production source.
 */
export interface KeyedStream {
  readonly kind: 'keyed';
  /** The key of the next draw. */
  next(): DrawKey;
}

/**
 * Numbers strictly between 0 and 1 in a fixed order, of which a draw takes as many as it needs. Golden cases prescribe
 * such a stream, because other implementations can reproduce it.
 */
export interface UniformStream {
  readonly kind: 'uniform';
  next(): number;
}

export interface SeededNoise extends NoiseSource {
  stream(index: number): KeyedStream;
}

/** The production source. `seed`: an integer from 0 to 2^53-1. */
export function seededNoise(seed: number): SeededNoise {
  return {
    stream(index) {
      const word = xoshiro128(seed, index);
      return { kind: 'keyed', next: () => ({ a: word(), b: word() }) };
    },
  };
}

/** A seed from the platform's entropy. */
export function freshSeed(): number {
  const [low, high] = crypto.getRandomValues(new Uint32Array(2));
  return (high! >>> 11) * 2 ** 32 + low!;
}
