import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeBfloat, decodeHalf, encodeHalf } from '../float-format.ts';
import { firstNonFinite, isHalfExact } from '../number-checks.ts';
import { transpose } from '../transpose.ts';
import { VectorMemory, vectorsFor } from './vector-memory.ts';

/** A copy of the same bytes with vectors. The functions take the loops of TypeScript for the original. */
function withVectors(bytes: Uint8Array): Uint8Array {
  const copy = new VectorMemory(bytes.byteLength).take(bytes.byteLength);
  copy.set(bytes);
  assert.notEqual(vectorsFor(copy), null);
  return copy;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

const EVERY_HALF = Uint16Array.from({ length: 65536 }, (_, i) => i);

/** Patterns of all exponents, with fractions on and beside every rounding border of float16. */
function floatPatterns(): Uint32Array<ArrayBuffer> {
  const fractions = [0, 1, 0x7fffff, 0x400000, 0x1fff, 0x1000, 0xfff, 0x1001, 0x2fff, 0x3000, 0x3001, 0x5a5a5a];
  const shifted = Array.from({ length: 23 }, (_, i) => [1 << i, (1 << i) - 1, (3 << i) & 0x7fffff]).flat();
  const all = [...fractions, ...shifted];
  const words: number[] = [];
  for (let exponent = 0; exponent < 256; exponent++)
    for (const fraction of all) words.push((exponent << 23) | fraction, (exponent << 23) | fraction | 0x80000000);
  while (words.length % 8 !== 0) words.push(0);
  return Uint32Array.from(words);
}

test('vectors decode every float16 and bfloat16 to the bits that the loops give', () => {
  for (const decode of [decodeHalf, decodeBfloat]) {
    const expected = new Float32Array(EVERY_HALF.length);
    decode(EVERY_HALF, expected);
    const memory = new VectorMemory(8 * EVERY_HALF.length);
    const [source, target] = [memory.take(2 * EVERY_HALF.length), memory.take(4 * EVERY_HALF.length)];
    source.set(bytesOf(EVERY_HALF));
    assert.notEqual(vectorsFor(source, target), null);
    decode(
      new Uint16Array(source.buffer, source.byteOffset, EVERY_HALF.length),
      new Float32Array(target.buffer, target.byteOffset, EVERY_HALF.length),
    );
    assert.deepEqual(target, bytesOf(expected));
  }
});

test('vectors encode float16 to the bits that the loops give, and find the same overflow', () => {
  const patterns = floatPatterns();
  const finite = patterns.filter((bits) => (bits & 0x7fffffff) < 0x477fe000);
  for (const words of [patterns, finite.subarray(0, finite.length - (finite.length % 8))]) {
    const expected = new Uint16Array(words.length);
    const overflow = encodeHalf(new Float32Array(Uint32Array.from(words).buffer), expected);
    const memory = new VectorMemory(6 * words.length + 128);
    const [source, target] = [memory.take(4 * words.length), memory.take(2 * words.length)];
    source.set(bytesOf(words));
    assert.notEqual(vectorsFor(source, target), null);
    const got = encodeHalf(
      new Float32Array(source.buffer, source.byteOffset, words.length),
      new Uint16Array(target.buffer, target.byteOffset, words.length),
    );
    assert.equal(got, overflow);
    assert.deepEqual(target, bytesOf(expected));
  }
});

test('vectors find what float16 has not, number by number', () => {
  const memory = withVectors(new Uint8Array(32));
  for (const word of floatPatterns()) {
    const words = bytesOf(Uint32Array.of(0, 0x3f800000, word, 0, 0, 0, 0, 0));
    memory.set(words);
    assert.equal(isHalfExact(memory), isHalfExact(words), word.toString(16));
  }
});

test('vectors find an infinity or NaN at every place', () => {
  for (const [type, bits, items] of [
    ['f16', 0xfc00, Uint16Array],
    ['f16', 0x7e01, Uint16Array],
    ['bf16', 0x7f80, Uint16Array],
    ['f32', 0xffc00000, Uint32Array],
  ] as const) {
    const array = new items(77).fill(items === Uint32Array ? 0xff7fffff : type === 'f16' ? 0xfbff : 0xff7f);
    const memory = withVectors(bytesOf(array));
    assert.equal(firstNonFinite(type, memory), -1);
    for (let at = 0; at < array.length; at++) {
      const one = array.slice();
      one[at] = bits;
      memory.set(bytesOf(one));
      assert.equal(firstNonFinite(type, memory), at);
    }
  }
});

const MATRICES = [
  [Uint16Array, 64, 96, 64],
  [Uint16Array, 70, 41, 75],
  [Uint16Array, 31, 200, 33],
  [Uint32Array, 48, 32, 48],
  [Uint32Array, 37, 19, 40],
  [Uint16Array, 1, 1, 1],
] as const;

for (const [items, rows, columns, distance] of MATRICES) {
  test(`vectors turn ${columns} columns of ${rows} elements of ${8 * items.BYTES_PER_ELEMENT} bits as the loops do`, () => {
    const from = Reflect.construct(items, [columns * distance]) as Uint16Array;
    for (let i = 0; i < from.length; i++) from[i] = Math.imul(i, 0x9e3779b1) >>> 7;
    const rowLength = columns + 5;
    const plan = { columns, rows, columnDistance: distance, rowDistance: 1, rowLength, firstColumn: 3 };
    const expected = Reflect.construct(items, [rows * rowLength]) as Uint16Array;
    transpose(from, expected, plan);
    const memory = new VectorMemory(from.byteLength + expected.byteLength + 128);
    const view = (sizeBytes: number): Uint16Array => {
      const bytes = memory.take(sizeBytes);
      return Reflect.construct(items, [
        bytes.buffer,
        bytes.byteOffset,
        sizeBytes / items.BYTES_PER_ELEMENT,
      ]) as Uint16Array;
    };
    const [source, target] = [view(from.byteLength), view(expected.byteLength)];
    source.set(from);
    assert.notEqual(vectorsFor(source, target), null);
    transpose(source, target, plan);
    assert.deepEqual(target, expected);
    assert.throws(() => transpose(source, target.subarray(0, -6), plan), RangeError);
    assert.throws(() => transpose(source.subarray(1 + columns * distance - rows), target, plan), RangeError);
  });
}

test('arrays beyond the size of a memory lie elsewhere, and are worked on with loops', () => {
  const memory = new VectorMemory(65536);
  const [inside, outside] = [memory.take(65536), memory.take(64)];
  assert.notEqual(vectorsFor(inside), null);
  assert.equal(vectorsFor(outside), null);
  assert.equal(vectorsFor(inside, outside), null);
  assert.equal(vectorsFor(inside, new VectorMemory(64).take(64)), null);
});
