/** Questions about whole arrays of stored numbers, answered on their bits. */
import type { FloatType } from './tensor-type.ts';
import { vectorsFor } from './vectors/vector-memory.ts';

/** The bits of the exponent: all of them are set in infinities and NaN. */
const EXPONENT_BITS: Readonly<Record<FloatType, number>> = { f32: 0x7f800000, f16: 0x7c00, bf16: 0x7f80 };

/** Words examined before the loop looks for a finding. */
const STRETCH_WORDS = 1 << 14;

/** Index of the first infinity or NaN, or -1. `bytes` starts at a multiple of four in its buffer. */
export function firstNonFinite(type: FloatType, bytes: Uint8Array): number {
  const exponent = EXPONENT_BITS[type];
  const items =
    type === 'f32'
      ? new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2)
      : new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 1);
  const vectors = vectorsFor(items);
  const isClean =
    type === 'f32'
      ? vectors?.has_non_finite32(items.byteOffset, items.length) === 0
      : vectors?.has_non_finite16(items.byteOffset, items.length, exponent) === 0;
  if (isClean) return -1;
  // One addition per word carries into the sign bit of an item whose exponent is all ones, and nowhere else.
  // As Int32Array, because V8 computes with the numbers of a Uint32Array as floats.
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2);
  const mask = type === 'f32' ? exponent : (exponent << 16) | exponent;
  const unit = exponent & -exponent;
  const addend = type === 'f32' ? unit : (unit << 16) | unit;
  const signs = type === 'f32' ? 0x80000000 : 0x80008000;
  for (let start = 0; start < words.length; start += STRETCH_WORDS) {
    const end = Math.min(words.length, start + STRETCH_WORDS);
    let even = 0;
    let odd = 0;
    let at = start;
    for (; at + 1 < end; at += 2) {
      even |= (words[at]! & mask) + addend;
      odd |= (words[at + 1]! & mask) + addend;
    }
    if (at < end) even |= (words[at]! & mask) + addend;
    if (((even | odd) & signs) !== 0) break;
    if (end === words.length && (items.length * items.BYTES_PER_ELEMENT) % 4 === 0) return -1;
  }
  return items.findIndex((bits) => (bits & exponent) === exponent);
}

/** Whether float16 has every one of these float32 numbers. `bytes` starts at a multiple of four in its buffer. */
export function isHalfExact(bytes: Uint8Array): boolean {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2);
  const vectors = words.length % 8 === 0 ? vectorsFor(words) : null;
  if (vectors !== null) return vectors.is_half_exact(words.byteOffset, words.length) !== 0;
  for (let i = 0; i < words.length; i++) {
    const bits = words[i]!;
    const magnitude = bits & 0x7fffffff;
    if (magnitude === 0) continue;
    // Normal in float16: thirteen bits of the fraction are dropped, and more below 2^-14, down to 2^-24.
    if (magnitude >= 0x47800000 || magnitude < 0x33800000) return false;
    const dropped = magnitude >= 0x38800000 ? 13 : 126 - (magnitude >>> 23);
    if ((bits & ((1 << dropped) - 1)) !== 0) return false;
  }
  return true;
}
