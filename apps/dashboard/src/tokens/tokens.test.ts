import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endOf, unusedLongest, wasUsedLately } from './expiry.ts';
import { DEFAULT_SCOPES, withScope } from './scopes.ts';
import { daysUntil, usageByToken } from './usage-by-token.ts';

test('admin turns all scopes on, and back to the usual ones off', () => {
  assert.deepEqual(withScope(['run'], 'admin', true), ['run', 'read', 'write', 'admin']);
  assert.deepEqual(withScope(['run', 'read', 'write', 'admin'], 'admin', false), DEFAULT_SCOPES);
});

test('other scopes are independent, and stay in their order', () => {
  assert.deepEqual(withScope(['write'], 'run', true), ['run', 'write']);
  assert.deepEqual(withScope(['run', 'read'], 'run', false), ['read']);
});

test('an end is a number of days after now, or never', () => {
  const now = new Date('2026-01-31T12:00:00Z');
  assert.equal(endOf('7', now)?.toISOString(), '2026-02-07T12:00:00.000Z');
  assert.equal(endOf('never', now), null);
});

test('a token that was never used counts as unused since it was made', () => {
  const token = (createdAt: number, lastUsed: number | null) => ({
    createdAt: new Date(createdAt),
    lastUsed: lastUsed === null ? null : new Date(lastUsed),
  });
  const [old, used, fresh] = [token(2, null), token(1, 9), token(5, null)];
  assert.equal(unusedLongest([used, fresh, old]), old);
  assert.equal(unusedLongest([]), null);
});

test('a token was used lately within the last day', () => {
  const now = new Date(10 * 86_400_000);
  assert.equal(wasUsedLately(null, now), false);
  assert.equal(wasUsedLately(new Date(9 * 86_400_000 + 1), now), true);
  assert.equal(wasUsedLately(new Date(9 * 86_400_000), now), false);
});

test('usage has one value for each of the last 30 days, and leaves other days out', () => {
  const days = daysUntil(new Date('2026-03-01T01:00:00Z'));
  assert.deepEqual([days.length, days[0], days.at(-1)], [30, '2026-01-31', '2026-03-01']);
  const usage = usageByToken(
    [
      { bucket: '2026-03-01', key: 'a', computedTokens: 5 },
      { bucket: '2026-01-31', key: 'a', computedTokens: 2 },
      { bucket: '2025-01-31', key: 'b', computedTokens: 7 },
    ],
    days,
  );
  assert.deepEqual([usage.get('a')?.[0], usage.get('a')?.at(-1), usage.has('b')], [2, 5, false]);
});
