import type { TokenId } from '@gptj-cloud/model';

/** Identifies the noise of one draw: two random 32-bit words. */
export interface DrawKey {
  readonly a: number;
  readonly b: number;
}

const GOLDEN_RATIO = 0x9e3779b9;

/** A 32-bit mixing function without fixed structure ("lowbias32", Wellons 2018). */
export function mix32(value: number): number {
  let x = value >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

/** The key of one row of a draw over several rows. */
export function rowKey({ a, b }: DrawKey, row: number): DrawKey {
  return { a: mix32(a + Math.imul(row, GOLDEN_RATIO)), b: mix32(b ^ mix32(row + 1)) };
}

/** The high 32 bits of a cell's uniform number: a hash of the key and the token alone. */
export function cellWord({ a, b }: DrawKey, token: TokenId): number {
  let x = (a + Math.imul(token + 1, GOLDEN_RATIO)) | 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = (Math.imul(x ^ (x >>> 15), 0x846ca68b) + b) | 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  return (x ^ (x >>> 15)) >>> 0;
}

/**
 * At least the Gumbel noise of a cell, without a logarithm: with v the cell's uniform number, -ln(-ln(1-v)) < -ln v,
 * and the leading zeros of the word bound v from below.
 */
export function gumbelBound(word: number): number {
  return word === 0 ? Number.POSITIVE_INFINITY : (Math.clz32(word) + 1) * Math.LN2;
}

/** The Gumbel noise of a cell, from a 52-bit uniform number whose high bits are `word`. */
export function gumbelNoise(word: number, { a, b }: DrawKey): number {
  const low = mix32(mix32(word ^ b) + a) >>> 12;
  return -Math.log(-Math.log1p(-(word * 2 ** 20 + low + 0.5) / 2 ** 52));
}
