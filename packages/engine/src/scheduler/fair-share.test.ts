import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FairShare, weightOf } from './fair-share.ts';

/** Milliseconds that tenants received when each turn of `turnMs` goes to one that is not in debt, in their order. */
function shareTime(shares: FairShare, turnMs: Readonly<Record<string, number>>, totalMs: number, weights = turnMs) {
  const received: Record<string, number> = {};
  for (const tenant of Object.keys(turnMs)) shares.enter(tenant);
  for (let spent = 0; spent < totalMs; ) {
    for (const [tenant, ms] of Object.entries(turnMs)) {
      if (shares.isInDebt(tenant)) continue;
      received[tenant] = (received[tenant] ?? 0) + ms;
      spent += ms;
      shares.charge(tenant, ms, weights === turnMs ? 1 : (weights[tenant] ?? 1));
    }
  }
  return received;
}

test('tenants receive the same time, however long their turns are', () => {
  const { long = 0, short = 0 } = shareTime(new FairShare(), { long: 600, short: 5 }, 60_000);
  assert.ok(Math.abs(long - short) <= 650, `${long} and ${short}`);
});

test('tenants receive time by their weights', () => {
  const { owner = 0, free = 0 } = shareTime(new FairShare(), { owner: 5, free: 5 }, 60_000, { owner: 3, free: 1 });
  assert.ok(Math.abs(owner / free - 3) < 0.1, `${owner} and ${free}`);
  assert.deepEqual([0, 20, -10].map(weightOf), [1, 3, 0.5]);
});

test('a tenant that comes back is ahead of one that worked on, by a bounded credit', () => {
  const shares = new FairShare();
  shares.enter('long');
  shares.charge('long', 60_000, 1);
  assert.equal(shares.isInDebt('long'), false);
  shares.enter('short');
  assert.equal(shares.isInDebt('long'), true);
  shares.charge('short', 240, 1);
  assert.equal(shares.isInDebt('long'), false);
});

test('a tenant keeps its debt when it leaves and comes back', () => {
  const shares = new FairShare();
  shares.enter('steady');
  shares.enter('leaving');
  shares.charge('leaving', 5_000, 1);
  shares.leave('leaving');
  shares.charge('steady', 10, 1);
  shares.enter('leaving');
  assert.equal(shares.isInDebt('leaving'), true);
});

test('costly turns wait for a tenant that left a short time ago, unless it has received as much', async () => {
  const shares = new FairShare();
  shares.enter('long');
  shares.charge('long', 60_000, 1);
  shares.enter('short');
  shares.leave('short');
  assert.equal(shares.mustWait('long'), true);
  await shares.changed();
  assert.equal(shares.mustWait('long'), false, 'it is forgotten after a while');
  shares.enter('short');
  shares.charge('short', 300, 1);
  shares.leave('short');
  assert.equal(shares.mustWait('long'), false);
});

test('a tenant of larger weight is not in debt for a short request, but for a long one', () => {
  const shares = new FairShare();
  shares.enter('free', 1);
  shares.enter('owner', 3);
  shares.charge('owner', 600, 3);
  assert.equal(shares.isInDebt('owner'), false);
  shares.charge('owner', 1000, 3);
  assert.equal(shares.isInDebt('owner'), true);
  shares.charge('free', 310, 1);
  assert.deepEqual([shares.isInDebt('owner'), shares.isInDebt('free')], [false, true]);
});

test('tenants that come one after another do not pass one of larger weight', () => {
  const shares = new FairShare();
  shares.enter('first', 1);
  shares.charge('first', 1000, 1);
  shares.enter('owner', 3);
  for (let at = 0; at < 20; at++) {
    shares.enter(`next ${at}`, 1);
    assert.equal(shares.isInDebt('owner'), false, `after ${at}`);
    shares.charge('owner', 60, 3);
    shares.charge(`next ${at}`, 60, 1);
    shares.leave(`next ${at}`);
  }
  // Also while it has no work for a moment.
  shares.leave('owner');
  shares.enter('last', 1);
  shares.enter('owner', 3);
  assert.equal(shares.isInDebt('owner'), false);
});

test('costly turns wait longer for a tenant of larger weight that left', () => {
  const shares = new FairShare();
  shares.enter('free', 1);
  shares.enter('owner', 3);
  shares.charge('owner', 300, 3);
  shares.leave('owner');
  assert.equal(shares.mustWait('free'), true);
  shares.enter('owner', 3);
  shares.charge('owner', 1800, 3);
  shares.leave('owner');
  assert.equal(shares.mustWait('free'), false);
});
