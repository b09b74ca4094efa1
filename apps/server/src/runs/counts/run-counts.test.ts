import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { ApiError, newId } from '@gptj-cloud/protocol';
import { DEFAULT_PROJECT_ID } from '../../identity/users/first-user.ts';
import type { Store } from '../../store/db.ts';
import { openTestStore } from '../../testing/test-store.ts';
import { binOf, msOf } from './latency-bins.ts';
import { createRefusalCounts } from './refusal-counts.ts';
import { createRunCounts, type RunCounts } from './run-counts.ts';
import { addCounts, type CountedEvent, foldOldHours, removeOldCounts } from './run-counts-store.ts';
import { runCounts } from './run-counts-tables.ts';

const PROJECT = DEFAULT_PROJECT_ID;
const NOW = new Date('2026-03-10T12:30:00Z');
const logger = { debug() {}, info() {}, warn() {}, error() {} };

let store: Store;
let counts: RunCounts;
before(async () => {
  store = await openTestStore();
  counts = createRunCounts({ db: store.db, clock: () => NOW, refusals: { flush: async () => {} } });
});
after(() => store.close());
beforeEach(() => store.db.delete(runCounts));

const total = (at: string, ms: number): CountedEvent => ({
  projectId: PROJECT,
  at: new Date(at),
  kind: 'total',
  key: String(binOf(ms)),
});
const error = (at: string, key: string, projectId = PROJECT): CountedEvent => ({
  projectId,
  at: new Date(at),
  kind: 'error',
  key,
});
const query = (start: string, bucket: 'hour' | 'day' = 'hour') => ({ start: new Date(start), end: NOW, bucket });

test('a time differs from the middle of its bin by at most 5 % and a millisecond', () => {
  for (let ms = 0; ms < 2 ** 31; ms = Math.ceil(ms * 1.013 + 1)) {
    const shown = msOf(binOf(ms));
    assert.ok(Math.abs(shown - ms) <= 1 + 0.05 * ms, `${ms} ms is shown as ${shown}`);
  }
});

test('percentiles are those of the sorted times, of each hour and of the whole span', async () => {
  const times = Array.from({ length: 100 }, (_, index) => 10 * (index + 1));
  await addCounts(
    store.db,
    times.map((ms) => total('2026-03-10T11:59:59Z', ms)),
  );
  await addCounts(store.db, [total('2026-03-10T12:00:00Z', 5)]);
  const { buckets, overall, start, end } = await counts.latency(PROJECT, query('2026-03-10T09:10:00Z'));
  assert.deepEqual([start, end], [Date.parse('2026-03-10T09:00Z') / 1000, Date.parse('2026-03-10T13:00Z') / 1000]);
  assert.deepEqual(
    buckets.map((bucket) => [bucket.start, bucket.total.runs]),
    [
      [Date.parse('2026-03-10T11:00Z') / 1000, 100],
      [Date.parse('2026-03-10T12:00Z') / 1000, 1],
    ],
  );
  const near = (shown: number | null | undefined, ms: number): void =>
    assert.ok(Math.abs((shown ?? Number.NaN) - ms) <= 0.05 * ms, `expected about ${ms}, got ${shown}`);
  near(buckets[0]?.total.p50_ms, 500);
  near(buckets[0]?.total.p95_ms, 950);
  near(buckets[0]?.total.p99_ms, 990);
  near(buckets[1]?.total.p99_ms, 5);
  near(overall.total.p50_ms, 500);
  assert.deepEqual(overall.queued, { runs: 0, p50_ms: null, p95_ms: null, p99_ms: null });
});

test('errors are counted by code, of the own project alone', async () => {
  await addCounts(store.db, [
    error('2026-03-10T10:00:00Z', 'cancelled'),
    error('2026-03-10T10:59:00Z', 'cancelled'),
    error('2026-03-10T11:00:00Z', 'rate_limited'),
    error('2026-03-10T11:00:00Z', 'rate_limited', newId('project')),
  ]);
  const { buckets, total } = await counts.errors(PROJECT, query('2026-03-10T00:00:00Z'));
  assert.deepEqual(
    buckets.map(({ start, code, count }) => [new Date(start * 1000).getUTCHours(), code, count]),
    [
      [10, 'cancelled', 2],
      [11, 'rate_limited', 1],
    ],
  );
  assert.deepEqual(total, [
    { code: 'cancelled', count: 2 },
    { code: 'rate_limited', count: 1 },
  ]);
  assert.deepEqual((await counts.errors(newId('project'), query('2026-03-10T00:00:00Z'))).total, []);
});

test('hours are added up to days exactly, and old days are removed', async () => {
  await addCounts(store.db, [
    error('2026-01-01T00:00:00Z', 'a'),
    error('2026-01-01T23:59:59Z', 'a'),
    error('2026-01-02T05:00:00Z', 'a'),
    total('2026-01-02T05:00:00Z', 100),
    error('2026-03-01T05:00:00Z', 'a'),
  ]);
  const before = await counts.errors(PROJECT, query('2025-12-01', 'day'));
  while (await foldOldHours(store.db, new Date('2026-02-01')));
  assert.deepEqual(await counts.errors(PROJECT, query('2025-12-01', 'day')), before);
  assert.deepEqual(
    before.buckets.map(({ count }) => count),
    [2, 1, 1],
  );
  // A run of a day that was added up already ends late.
  await addCounts(store.db, [error('2026-01-02T06:00:00Z', 'a')]);
  while (await foldOldHours(store.db, new Date('2026-02-01')));
  assert.equal((await counts.errors(PROJECT, query('2025-12-01', 'day'))).buckets[1]?.count, 2);
  assert.equal(await removeOldCounts(store.db, new Date('2026-01-02')), 1);
  assert.equal((await counts.errors(PROJECT, query('2025-12-01', 'day'))).buckets[0]?.count, 2);
});

test('refuses spans that are too long or whose hours are not kept', async () => {
  const refusal = async (start: string, bucket: 'hour' | 'day') => {
    try {
      await counts.latency(PROJECT, query(start, bucket));
    } catch (caught) {
      return caught instanceof ApiError ? caught.message : caught;
    }
    return null;
  };
  assert.match(String(await refusal('2026-01-01', 'hour')), /expected up to 31 days before end, by hour/);
  assert.match(String(await refusal('2025-01-01', 'day')), /expected up to 366 days before end, by day/);
  assert.match(String(await refusal('2026-04-01', 'day')), /expected up to 366 days/);
  const old = { start: new Date('2026-01-01'), end: new Date('2026-01-02'), bucket: 'hour' as const };
  await assert.rejects(counts.errors(PROJECT, old), /expected the last 35 days/);
});

test('refusals are stored together', async () => {
  const refusals = createRefusalCounts({ db: store.db, clock: () => NOW, logger, everyMs: 3_600_000 });
  for (let i = 0; i < 1000; i++) refusals.count(PROJECT, 'rate_limited');
  refusals.count(newId('project'), 'rate_limited');
  await refusals.close();
  const rows = await store.db.select().from(runCounts);
  assert.deepEqual(
    rows.map(({ key, count, hours, at }) => [key, count, hours, at.toISOString()]),
    [['rate_limited', 1000, 1, '2026-03-10T12:00:00.000Z']],
  );
});
