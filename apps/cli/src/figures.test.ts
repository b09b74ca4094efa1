import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBytes, formatCount, formatDuration, formatParameters } from './figures.ts';

test('formats bytes with three digits and a decimal unit', () => {
  const cases: readonly [number, string][] = [
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.00 kB'],
    [12_345, '12.3 kB'],
    [999_600, '1.00 MB'],
    [12_219_000_000, '12.2 GB'],
    [5e15, '5000 TB'],
  ];
  for (const [bytes, text] of cases) assert.equal(formatBytes(bytes), text);
});

test('formats durations with the largest units, and never 60 of a unit', () => {
  const cases: readonly [number, string][] = [
    [0, '0 ms'],
    [480.4, '480 ms'],
    [999.6, '1.0 s'],
    [7_460, '7.5 s'],
    [9_960, '10 s'],
    [59_600, '1 min 00 s'],
    [65_000, '1 min 05 s'],
    [3_599_700, '1 h 00 min'],
    [7_380_000, '2 h 03 min'],
  ];
  for (const [ms, text] of cases) assert.equal(formatDuration(ms), text);
});

test('groups the digits of counts and rounds numbers of parameters', () => {
  assert.equal(formatCount(1234567), '1 234 567');
  assert.equal(formatCount(999), '999');
  assert.equal(formatParameters(6_050_882_784), '6.05 B');
  assert.equal(formatParameters(124_439_808), '124 M');
  assert.equal(formatParameters(5_000), '5 000');
});
