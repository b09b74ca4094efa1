/**
 * IEEE 754 binary16 and bfloat16 to and from binary32, on whole arrays. Rounding is to nearest, ties to even, as
 * PyTorch and ggml do it. Node 20 has no Float16Array.
 */

import { vectorsFor } from './vectors/vector-memory.ts';

let halfTable: Int32Array | null = null;

/**
 * binary32 bit patterns of all 65,536 binary16 values: 256 kB, built on first use. As Int32Array, because V8 computes with
 * the numbers of a Uint32Array as floats.
 */
function halfToFloatBits(): Int32Array {
  if (halfTable !== null) return halfTable;
  const table = new Int32Array(1 << 16);
  for (let half = 0; half < table.length; half++) {
    const sign = (half & 0x8000) << 16;
    const exponent = (half >> 10) & 0x1f;
    const fraction = half & 0x3ff;
    let magnitude: number;
    if (exponent === 0x1f) {
      magnitude = 0x7f800000 | (fraction << 13);
    } else if (exponent !== 0) {
      magnitude = ((exponent + 112) << 23) | (fraction << 13);
    } else if (fraction === 0) {
      magnitude = 0;
    } else {
      // Subnormal: shift the leading one into place, one exponent step per shift.
      const shift = Math.clz32(fraction) - 21;
      magnitude = ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13);
    }
    table[half] = sign | magnitude;
  }
  halfTable = table;
  return table;
}

/** One binary16 value. */
export function halfToFloat(half: number): number {
  const bits = new Int32Array([halfToFloatBits()[half & 0xffff] ?? 0]);
  return new Float32Array(bits.buffer)[0] ?? 0;
}

/** Widen binary16 to binary32, exactly. The arrays must have equal length. */
export function decodeHalf(source: Uint16Array, target: Float32Array): void {
  const vectors = source.length % 8 === 0 ? vectorsFor(source, target) : null;
  if (vectors !== null && source.length === target.length) {
    vectors.decode_half(source.byteOffset, target.byteOffset, source.length);
    return;
  }
  const table = halfToFloatBits();
  const bits = new Int32Array(target.buffer, target.byteOffset, target.length);
  for (let i = 0; i < source.length; i++) bits[i] = table[source[i]!]!;
}

/** Widen bfloat16 to binary32, exactly. The arrays must have equal length. */
export function decodeBfloat(source: Uint16Array, target: Float32Array): void {
  const vectors = source.length % 8 === 0 ? vectorsFor(source, target) : null;
  if (vectors !== null && source.length === target.length) {
    vectors.decode_bfloat(source.byteOffset, target.byteOffset, source.length);
    return;
  }
  const bits = new Int32Array(target.buffer, target.byteOffset, target.length);
  for (let i = 0; i < source.length; i++) bits[i] = source[i]! << 16;
}

/**
 * Narrow binary32 to binary16. Returns the index of the first finite value that rounds to infinity (at or above
 * 65520 in magnitude), or -1; infinities and NaN are kept.
 */
export function encodeHalf(source: Float32Array, target: Uint16Array): number {
  const vectors = source.length % 8 === 0 ? vectorsFor(source, target) : null;
  if (vectors !== null && source.length === target.length) {
    vectors.encode_half(source.byteOffset, target.byteOffset, source.length);
    const hasOverflow = vectors.has_non_finite16(target.byteOffset, target.length, 0x7c00) !== 0;
    return hasOverflow ? source.findIndex((value) => Math.abs(value) >= 65520 && Number.isFinite(value)) : -1;
  }
  const bits = new Uint32Array(source.buffer, source.byteOffset, source.length);
  let overflow = -1;
  for (let i = 0; i < bits.length; i++) {
    const value = bits[i]!;
    const sign = (value >>> 16) & 0x8000;
    const magnitude = value & 0x7fffffff;
    if (magnitude >= 0x7f800000) {
      target[i] = sign | 0x7c00 | (magnitude > 0x7f800000 ? 0x200 | ((magnitude >> 13) & 0x3ff) : 0);
    } else if (magnitude >= 0x38800000) {
      // Normal in binary16. The addend rounds the 13 dropped bits to nearest, ties to even; a carry may reach the exponent.
      const rounded = (magnitude - 0x38000000 + 0xfff + ((magnitude >> 13) & 1)) >> 13;
      if (rounded >= 0x7c00 && overflow < 0) overflow = i;
      target[i] = sign | Math.min(rounded, 0x7c00);
    } else if (magnitude < 0x33000000) {
      target[i] = sign;
    } else {
      // Subnormal: the unit is 2^-24.
      const shift = 126 - (magnitude >> 23);
      const fraction = (magnitude & 0x7fffff) | 0x800000;
      const whole = fraction >> shift;
      const rest = fraction & ((1 << shift) - 1);
      const half = 1 << (shift - 1);
      target[i] = sign | (whole + (rest > half || (rest === half && (whole & 1) === 1) ? 1 : 0));
    }
  }
  return overflow;
}

/** Narrow binary32 to bfloat16. Returns the index of the first finite value that rounds to infinity, or -1. */
export function encodeBfloat(source: Float32Array, target: Uint16Array): number {
  const bits = new Uint32Array(source.buffer, source.byteOffset, source.length);
  let overflow = -1;
  for (let i = 0; i < bits.length; i++) {
    const value = bits[i]!;
    const magnitude = value & 0x7fffffff;
    if (magnitude > 0x7f800000) {
      target[i] = (value >>> 16) | 0x40;
      continue;
    }
    const rounded = (value + 0x7fff + ((value >>> 16) & 1)) >>> 16;
    if ((rounded & 0x7fff) === 0x7f80 && magnitude !== 0x7f800000 && overflow < 0) overflow = i;
    target[i] = rounded;
  }
  return overflow;
}
