import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LimitsGet } from '@gptj-cloud/protocol';
import { cost, estimate, openOn, refusalOf } from '../../testing/admissions.ts';
import { bookOf, planOf, principalOn } from '../../testing/plans.ts';
import { describeOnEveryStore } from '../../testing/test-store.ts';
import { createStorageLimits } from '../storage/storage-limits.ts';
import { createLimitsService } from './limits-service.ts';

const START = Date.parse('2026-03-10T12:00:00.000Z');
const DAY = 86_400_000;

describeOnEveryStore('limits', (store) => {
  test('reports what admission counts, at each moment', async () => {
    const plan = planOf('p', {
      requestsPerMinute: 3,
      concurrentRuns: 5,
      tokensPerDay: 1000,
      tokensPerMonth: 5000,
      storedBytes: 7,
    });
    const clock = { ms: START };
    const admission = await openOn(store().db, plan, clock);
    const plans = bookOf(plan);
    const limits = createLimitsService({
      db: store().db,
      plans,
      storage: createStorageLimits(plans),
      clock: () => new Date(clock.ms),
    });
    const who = principalOn(plan, 'user_limits');
    const read = (): Promise<LimitsGet> => limits.read(who);
    const counts = ({ day, month, running, requests }: LimitsGet) => [
      day.used,
      day.reserved,
      month.used,
      month.reserved,
      running.used,
      requests.used,
    ];

    const before = await read();
    assert.deepEqual(counts(before), [0, 0, 0, 0, 0, 0]);
    assert.deepEqual(await limits.headers(who), {
      'x-ratelimit-limit-requests': '3',
      'x-ratelimit-remaining-requests': '3',
      'x-ratelimit-reset-requests': '0s',
      'x-ratelimit-limit-tokens': '1000',
      'x-ratelimit-remaining-tokens': '1000',
      'x-ratelimit-reset-tokens': '12h0m0s',
    });
    assert.deepEqual(
      [before.day.limit, before.month.limit, before.running.limit, before.requests.limit, before.stored_bytes],
      [1000, 5000, 5, 3, { used: 0, limit: 7 }],
    );
    assert.deepEqual(
      [before.day.resets_at, before.month.resets_at],
      [Date.parse('2026-03-11') / 1000, Date.parse('2026-04-01') / 1000],
    );

    const one = await admission.admit(who, estimate(40, 60));
    const two = await admission.admit(who, estimate(40, 60));
    assert.deepEqual(counts(await read()), [0, 200, 0, 200, 2, 2]);
    await one.settle(cost(40, 10));
    assert.deepEqual(counts(await read()), [50, 100, 50, 100, 1, 2]);
    const headers = await limits.headers(who);
    assert.deepEqual([headers['x-ratelimit-remaining-requests'], headers['x-ratelimit-reset-requests']], ['1', '1m0s']);
    assert.equal(headers['x-ratelimit-remaining-tokens'], '850');
    // A refusal is counted nowhere.
    const refused = await refusalOf(admission.admit(who, estimate(900, 100)));
    assert.equal(refused.code, 'quota_exceeded');
    assert.deepEqual([refused.details.used, refused.details.reserved], [50, 100]);
    assert.deepEqual(counts(await read()), [50, 100, 50, 100, 1, 2]);

    clock.ms += 60_000;
    assert.deepEqual(counts(await read()), [50, 100, 50, 100, 1, 0]);
    clock.ms += DAY;
    assert.deepEqual(counts(await read()), [0, 0, 50, 100, 1, 0]);
    await two.cancel();
    clock.ms += 31 * DAY;
    assert.deepEqual(counts(await read()), [0, 0, 0, 0, 0, 0]);
    await admission.close();
  });

  test('counts no running generations and requests on a plan without limits, but its tokens', async () => {
    const plan = planOf('free');
    const clock = { ms: START };
    const admission = await openOn(store().db, plan, clock);
    const plans = bookOf(plan);
    const storage = createStorageLimits(plans);
    const limits = createLimitsService({ db: store().db, plans, storage, clock: () => new Date(clock.ms) });
    const who = principalOn(plan, 'user_unlimited');
    const one = await admission.admit(who, estimate(40, 60));
    await one.settle(cost(40, 10));
    const { day, running, requests } = await limits.read(who);
    assert.deepEqual([day.used, day.limit, day.reserved], [50, null, 0]);
    assert.deepEqual(
      [running, requests],
      [
        { used: null, limit: null },
        { used: null, limit: null },
      ],
    );
    await admission.close();
  });
});
