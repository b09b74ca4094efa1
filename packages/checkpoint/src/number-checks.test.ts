import assert from 'node:assert/strict';
import { test } from 'node:test';
import { halfToFloat } from './float-format.ts';
import { firstNonFinite, isHalfExact } from './number-checks.ts';
import { encodeWeights } from './tensor-codec.ts';
import { rowBytes } from './tensor-type.ts';

for (const type of ['f32', 'f16', 'bf16'] as const) {
  test(`finds infinities and NaN of ${type} at every position of arrays of every length`, () => {
    for (const length of [1, 2, 3, 8, 33]) {
      for (let at = -1; at < length; at++) {
        for (const value of [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN]) {
          const numbers = Float32Array.from({ length }, (_, i) => (i % 2 === 0 ? 65504 : -1e-7) * (1 - i / 100));
          if (at >= 0) numbers[at] = value;
          const bytes = new Uint8Array(rowBytes(type, length));
          encodeWeights(type, numbers, bytes);
          assert.equal(firstNonFinite(type, bytes), at);
        }
      }
    }
  });
}

test('every number of float16 is exact in float16, its neighbours in float32 are not', () => {
  const bits = new Uint32Array(1);
  const number = new Float32Array(bits.buffer);
  const bytes = new Uint8Array(bits.buffer);
  for (let half = 0; half < 0x7c00; half++) {
    number[0] = halfToFloat(half);
    assert.ok(isHalfExact(bytes), String(number[0]));
    bits[0] = (bits[0] ?? 0) + 1;
    assert.ok(!isHalfExact(bytes), String(number[0]));
    number[0] = halfToFloat(half | 0x8000);
    assert.ok(isHalfExact(bytes), String(number[0]));
  }
  for (const large of [65536, 1e30, Number.POSITIVE_INFINITY, Number.NaN, 2 ** -25]) {
    number[0] = large;
    assert.ok(!isHalfExact(bytes), String(large));
  }
});
