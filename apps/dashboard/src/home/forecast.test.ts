import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forecastOf } from './forecast.ts';

const now = new Date('2026-11-11T00:00:00Z');
const month = { reserved: 0, resetsAt: new Date('2026-12-01T00:00:00Z') };

test('tokens last as long as the average of the month says', () => {
  // 1,000 a day for ten days, 5,000 left.
  assert.deepEqual(forecastOf({ ...month, used: 10_000, limit: 15_000 }, now), { kind: 'days', days: 5 });
});

test('tokens that last beyond the end of the month are enough', () => {
  assert.deepEqual(forecastOf({ ...month, used: 10_000, limit: 100_000 }, now), { kind: 'enough' });
});

test('reserved tokens are not left', () => {
  assert.deepEqual(forecastOf({ ...month, used: 10_000, limit: 15_000, reserved: 5_000 }, now), { kind: 'over' });
});

test('without a limit, or without use, there is no forecast', () => {
  assert.deepEqual(forecastOf({ ...month, used: 10_000, limit: null }, now), { kind: 'unknown' });
  assert.deepEqual(forecastOf({ ...month, used: 0, limit: 10 }, now), { kind: 'unknown' });
});
