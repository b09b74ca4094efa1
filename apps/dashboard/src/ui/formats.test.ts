import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatBinaryBytes,
  formatBytes,
  formatCount,
  formatDecimals,
  formatDigits,
  formatDuration,
  formatLasting,
  formatMoney,
  formatPercent,
  formatPlural,
  formatRelative,
  formatShort,
} from './formats.ts';

test('short numbers have three digits and are exact while they are small', () => {
  assert.deepEqual([0, 999, 9_999, 61_204, 1_234_567, 1e12].map(formatShort), [
    '0',
    '999',
    '9,999',
    '61.2 k',
    '1.23 M',
    '1 T',
  ]);
});

test('sums below a cent keep their first digits', () => {
  assert.equal(formatMoney(13.61, 'usd'), '$13.61');
  assert.equal(formatMoney(0.0004, 'usd'), '$0.0004');
  assert.equal(formatMoney(0, 'usd'), '$0.00');
});

test('a small fraction is never written as nothing', () => {
  assert.deepEqual([0, 0.00001, 0.004, 0.31, 1].map(formatPercent), ['0 %', '< 0.1 %', '0.4 %', '31 %', '100 %']);
});

test('durations have the unit of their size', () => {
  assert.deepEqual(
    [38, 630, 2_100, 14_600, 125_000, 6 * 86_400_000 + 2 * 3_600_000, 86_400_000 + 40_000, 8_101 * 86_400_000].map(
      formatDuration,
    ),
    ['38 ms', '0.63 s', '2.1 s', '14.6 s', '2 min 5 s', '6 d 2 h', '1 d', '8,101 d'],
  );
});

test('sizes count in thousands', () => {
  assert.deepEqual([0, 999, 312_000_000].map(formatBytes), ['0 B', '999 B', '312 MB']);
});

test('sizes of plans count in powers of 1024', () => {
  assert.deepEqual([0, 512, 5 * 2 ** 30, 1.5 * 2 ** 20, 2 ** 40].map(formatBinaryBytes), [
    '0 B',
    '512 B',
    '5 GiB',
    '1.5 MiB',
    '1 TiB',
  ]);
});

test('times near now are relative, in both directions', () => {
  const now = new Date('2026-11-06T12:00:00Z');
  const after = (seconds: number): Date => new Date(now.getTime() + seconds * 1000);
  assert.deepEqual(
    [-1, -12, -180, -7200, 3 * 86_400, -40 * 86_400].map((seconds) => formatRelative(after(seconds), now)),
    ['just now', '12 s ago', '3 min ago', '2 h ago', 'in 3 d', '27 Sept 2026'],
  );
});

test('one thing is singular', () => {
  assert.deepEqual(
    [0, 1, 1204].map((count) => formatPlural(count, 'run')),
    ['0 runs', '1 run', '1,204 runs'],
  );
});

test('numbers below zero have a minus sign, which is as wide as a digit', () => {
  assert.deepEqual(
    [formatCount(-1_200), formatDigits(-2.857, 3), formatDecimals(-2.5, 2), formatDecimals(2.5, 2)],
    ['−1,200', '−2.86', '−2.50', '2.50'],
  );
});

test('a state lasts for a time, or since a date where that is long ago', () => {
  const now = new Date('2026-01-15T12:10:00Z');
  const since = (ms: number): string => formatLasting(new Date(now.getTime() - ms), now);
  assert.deepEqual(
    [since(1_000), since(12_000), since(9 * 60_000), since(3 * 86_400_000)],
    ['for a moment', 'for 12 s', 'for 9 min', 'for 3 d'],
  );
  assert.equal(since(40 * 86_400_000), 'since 6 Dec 2025');
});
