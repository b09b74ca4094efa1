import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UsageRow } from '@gptj-cloud/sdk';
import {
  countDays,
  daysOf,
  formatBucket,
  longestDays,
  MAX_DAYS,
  precedingDays,
  rangeOf,
  spanOf,
} from './usage-range.ts';
import { bucketSums, errorSeries, latencySeries, tokenSeries, totalsOf } from './usage-series.ts';

const NOW = new Date('2026-03-10T05:30:00Z');
const row = (bucket: string, key: string, computedTokens: number, name: string | null = null): UsageRow => ({
  bucket,
  key,
  name,
  runs: 1,
  promptTokens: 1,
  generatedTokens: 2,
  computedTokens,
  cachedTokens: 0,
  computeMs: 5,
});

test('ranges end today, in UTC; days that do not exist are those of this month', () => {
  assert.deepEqual(daysOf({ range: 'today' }, NOW), { from: '2026-03-10', to: '2026-03-10' });
  assert.deepEqual(daysOf({ range: '7d' }, NOW), { from: '2026-03-04', to: '2026-03-10' });
  assert.deepEqual(daysOf({}, NOW), { from: '2026-03-01', to: '2026-03-10' });
  const custom = (from?: string, to?: string) =>
    daysOf({ range: 'custom', ...(from !== undefined && { from }), ...(to !== undefined && { to }) }, NOW);
  assert.deepEqual(custom('2026-02-30', 'x'), { from: '2026-03-01', to: '2026-03-10' });
  assert.deepEqual(custom('2026-03-02', '2026-02-01'), { from: '2026-02-01', to: '2026-03-02' });
});

test('a day is divided into hours, more days into days, as far as time has come', () => {
  const today = rangeOf(daysOf({ range: 'today' }, NOW), NOW);
  assert.deepEqual([today?.bucket, today?.buckets.length, today?.isOpen], ['hour', 6, true]);
  assert.equal(today?.buckets.at(-1), '2026-03-10T05:00Z');
  const past = rangeOf({ from: '2026-02-20', to: '2026-02-20' }, NOW);
  assert.deepEqual([past?.buckets.length, past?.isOpen], [24, false]);
  assert.equal(rangeOf({ from: '2026-01-01', to: '2026-01-01' }, NOW)?.bucket, 'day');
  const month = rangeOf({ from: '2026-03-09', to: '2026-03-31' }, NOW);
  assert.deepEqual(month?.buckets, ['2026-03-09', '2026-03-10']);
});

test('more than 366 days are no range; the longest one up to the same day is', () => {
  assert.equal(rangeOf({ from: '2025-03-09', to: '2026-03-10' }, NOW), null);
  const longest = longestDays('2026-03-10');
  assert.equal(countDays(longest.from, longest.to), MAX_DAYS);
  assert.ok(rangeOf(longest, NOW) !== null);
});

test('the range before has the same length and ends the day before', () => {
  const week = rangeOf(daysOf({ range: '7d' }, NOW), NOW);
  assert.ok(week !== null);
  assert.deepEqual(precedingDays(week), { from: '2026-02-25', to: '2026-03-03' });
  assert.deepEqual(spanOf(week), { start: new Date('2026-03-04'), end: new Date('2026-03-11') });
});

test('buckets are named by day or hour', () => {
  assert.deepEqual(['2026-03-04', '2026-03-04T05:00Z'].map(formatBucket), ['4 Mar', '05:00']);
});

test('series, totals and sums of buckets add up to the same', () => {
  const range = rangeOf({ from: '2026-03-08', to: '2026-03-10' }, NOW);
  assert.ok(range !== null);
  const rows = [
    row('2026-03-08', 'token_1', 10, 'ci'),
    row('2026-03-10', 'token_1', 5, 'ci'),
    row('2026-03-10', '', 40),
    row('2026-03-10', 'token_deadbeef', 1),
    row('2026-03-10', 'other', 2),
  ];
  const series = tokenSeries(rows, range, 'token');
  assert.deepEqual(series, [
    { name: 'browser sessions', values: [0, 0, 40] },
    { name: 'ci', values: [10, 0, 5] },
    { name: 'others', values: [0, 0, 2] },
    { name: 'deleted token adbeef', values: [0, 0, 1] },
  ]);
  const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0);
  const inAll = sum(rows.map(({ computedTokens }) => computedTokens));
  assert.equal(sum(totalsOf(rows, 'token').map(({ computedTokens }) => computedTokens)), inAll);
  assert.equal(sum(bucketSums(rows, range).map(({ computedTokens }) => computedTokens)), inAll);
  assert.deepEqual(
    bucketSums(rows, range).map(({ bucket, runs }) => [bucket, runs]),
    [
      ['2026-03-08', 1],
      ['2026-03-09', 0],
      ['2026-03-10', 4],
    ],
  );
});

test('times and errors stand at their hours', () => {
  const range = rangeOf({ from: '2026-03-10', to: '2026-03-10' }, NOW);
  assert.ok(range !== null);
  const none = { runs: 0, p50Ms: null, p95Ms: null, p99Ms: null };
  const times = { queued: none, firstToken: none, total: { runs: 3, p50Ms: 10, p95Ms: 20, p99Ms: 30 } };
  const span = spanOf(range);
  const buckets = [{ ...times, start: new Date('2026-03-10T02:00Z') }];
  assert.deepEqual(latencySeries({ ...span, buckets, overall: times }, range)[1]?.values, [
    null,
    null,
    20,
    null,
    null,
    null,
  ]);
  const errors = [{ start: new Date('2026-03-10T01:00Z'), code: 'rate_limited', count: 4 }];
  const total = [{ code: 'rate_limited', count: 4 }];
  assert.deepEqual(errorSeries({ ...span, buckets: errors, total }, range), [
    { name: 'rate_limited', values: [0, 4, 0, 0, 0, 0] },
  ]);
});
