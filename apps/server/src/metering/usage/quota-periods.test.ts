import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cost, estimate, meteredOf, openOn, refusalOf } from '../../testing/admissions.ts';
import { planOf, principalOn } from '../../testing/plans.ts';
import { describeOnEveryStore } from '../../testing/test-store.ts';

const START = Date.parse('2026-03-10T12:00:00.000Z');

describeOnEveryStore('quota periods', (store) => {
  test('days and months are UTC; a run counts on the day of its admission, also when it ends on the next', async () => {
    const plan = planOf('p', { tokensPerDay: 100, tokensPerMonth: 250 });
    const clock = { ms: Date.parse('2026-01-30T23:59:59.999Z') };
    const { db } = store();
    const admission = await openOn(db, plan, clock);
    const who = principalOn(plan, 'user_midnight');
    const late = await admission.admit(who, estimate(100, 0));
    const day = await refusalOf(admission.admit(who, estimate(1, 0)));
    assert.deepEqual([day.code, day.status, day.retryAfterSeconds], ['quota_exceeded', 402, 1]);
    assert.equal(day.details.resets_at, '2026-01-31T00:00:00.000Z');
    clock.ms += 1;
    await (await admission.admit(who, estimate(100, 0))).settle(cost(100, 0));
    await late.settle(cost(90, 0));
    await refusalOf(admission.admit(who, estimate(1, 0)));
    clock.ms = Date.parse('2026-01-31T23:59:59.999Z');
    const month = planOf('p', { tokensPerMonth: 250 });
    const monthly = await openOn(db, month, clock);
    const refused = await refusalOf(monthly.admit(who, estimate(61, 0)));
    assert.deepEqual([refused.details.period, refused.details.used], ['month', 190]);
    assert.equal(refused.details.resets_at, '2026-02-01T00:00:00.000Z');
    const last = await monthly.admit(who, estimate(60, 0));
    clock.ms += 1;
    const next = await monthly.admit(who, estimate(250, 0));
    await last.settle(cost(60, 0));
    await refusalOf(monthly.admit(who, estimate(1, 0)));
    await next.settle(cost(10, 0));
    await monthly.admit(who, estimate(240, 0));
    const rows = await meteredOf(db, who.userId);
    assert.deepEqual(
      rows.map((row) => [row.day, row.promptTokens]),
      [
        ['2026-01-30', 90],
        ['2026-01-31', 160],
        ['2026-02-01', 10],
      ],
    );
  });

  test('usage under a plan without limits counts when a plan with limits follows', async () => {
    const plan = planOf('p', { tokensPerDay: 100 });
    const { db } = store();
    const admission = await openOn(db, plan, { ms: START });
    const who = principalOn(plan, 'user_change');
    const free = { ...who, planId: 'other' };
    await (await admission.admit(free, estimate(1e6, 0))).settle(cost(60, 0));
    const inFlight = await admission.admit(free, estimate(1e6, 0));
    await refusalOf(admission.admit(who, estimate(41, 0)));
    await inFlight.settle(cost(30, 0));
    await refusalOf(admission.admit(who, estimate(11, 0)));
    await admission.admit(who, estimate(10, 0));
  });

  test('counts a month from all of its days and from no other month', async () => {
    const plan = planOf('p', { tokensPerMonth: 100 });
    const clock = { ms: Date.parse('2026-01-31T12:00:00Z') };
    const { db } = store();
    const admission = await openOn(db, plan, clock);
    const who = principalOn(plan, 'user_month');
    const unlimited = { ...who, planId: 'other' };
    const january = await admission.admit(unlimited, estimate(1000, 0));
    clock.ms = Date.parse('2026-02-01T12:00:00Z');
    await (await admission.admit(who, estimate(40, 0))).settle(cost(40, 0));
    const february = await admission.admit(unlimited, estimate(1000, 0));
    clock.ms = Date.parse('2026-02-02T12:00:00Z');
    // The counters have reached this day before the runs of other days end.
    await (await admission.admit(who, estimate(1, 0))).cancel();
    await january.settle(cost(1000, 0));
    await february.settle(cost(50, 0));
    assert.equal((await refusalOf(admission.admit(who, estimate(11, 0)))).details.used, 90);
    clock.ms = Date.parse('2026-02-28T12:00:00Z');
    assert.equal((await refusalOf(admission.admit(who, estimate(11, 0)))).details.used, 90);
    await admission.admit(who, estimate(10, 0));
  });
});
