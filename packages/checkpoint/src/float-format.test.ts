import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeBfloat, decodeHalf, encodeBfloat, encodeHalf, halfToFloat } from './float-format.ts';

test('every binary16 value widens to the number that its bits encode', () => {
  const halves = Uint16Array.from({ length: 1 << 16 }, (_, i) => i);
  const floats = new Float32Array(halves.length);
  decodeHalf(halves, floats);
  for (let half = 0; half < halves.length; half++) {
    const sign = half >> 15 === 1 ? -1 : 1;
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    const magnitude =
      exponent === 31
        ? fraction === 0
          ? Number.POSITIVE_INFINITY
          : Number.NaN
        : exponent === 0
          ? fraction * 2 ** -24
          : (1024 + fraction) * 2 ** (exponent - 25);
    assert.ok(Object.is(floats[half], sign * magnitude) || Number.isNaN(magnitude), `0x${half.toString(16)}`);
    assert.equal(Number.isNaN(floats[half]), Number.isNaN(magnitude));
  }
  assert.equal(halfToFloat(0x3c00), 1);
});

test('every binary16 value is unchanged after widening to binary32 and narrowing again', () => {
  const halves = Uint16Array.from({ length: 1 << 16 }, (_, i) => i).filter((half) => (half & 0x7fff) <= 0x7c00);
  const floats = new Float32Array(halves.length);
  const back = new Uint16Array(halves.length);
  decodeHalf(halves, floats);
  assert.equal(encodeHalf(floats, back), -1);
  assert.deepEqual(back, halves);
});

test('narrowing to binary16 rounds to nearest, ties to even, also below the normal range', () => {
  const cases: readonly (readonly [number, number])[] = [
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [1 + 2 ** -11 + 2 ** -20, 0x3c01],
    [2 - 2 ** -12, 0x4000],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [2 ** -25 + 2 ** -30, 0x0001],
    [3 * 2 ** -25, 0x0002],
    [2 ** -14 - 2 ** -26, 0x0400],
    [-65504, 0xfbff],
    [65519, 0x7bff],
  ];
  for (const [value, expected] of cases) {
    const target = new Uint16Array(1);
    assert.equal(encodeHalf(Float32Array.of(value), target), -1, String(value));
    assert.equal(target[0], expected, String(value));
  }
});

test('narrowing returns the index of the first number that does not fit, and keeps infinities and NaN', () => {
  const target = new Uint16Array(4);
  assert.equal(encodeHalf(Float32Array.of(Number.NEGATIVE_INFINITY, Number.NaN, 1, 65520), target), 3);
  assert.deepEqual([target[0], target[3]], [0xfc00, 0x7c00]);
  assert.ok(Number.isNaN(halfToFloat(target[1] ?? 0)));
  assert.equal(encodeBfloat(Float32Array.of(Number.POSITIVE_INFINITY, Number.NaN, 3.39e38, 3.4028234e38), target), 3);
  assert.equal(target[0], 0x7f80);
  assert.ok((target[1] ?? 0) > 0x7f80);
});

test('every finite bfloat16 value is unchanged after widening and narrowing, and ties round to even', () => {
  const halves = Uint16Array.from({ length: 1 << 16 }, (_, i) => i).filter((half) => (half & 0x7fff) <= 0x7f80);
  const floats = new Float32Array(halves.length);
  const back = new Uint16Array(halves.length);
  decodeBfloat(halves, floats);
  assert.equal(encodeBfloat(floats, back), -1);
  assert.deepEqual(back, halves);
  encodeBfloat(Float32Array.of(1 + 2 ** -8, 1 + 3 * 2 ** -8), back);
  assert.deepEqual([back[0], back[1]], [0x3f80, 0x3f82]);
});
