import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Acceptance } from './acceptance.ts';

test('starts at the assumed rate, and approaches the share of tokens that agree', () => {
  const rate = new Acceptance(() => 0.4);
  assert.equal(rate.rate, 0.4);
  // Three of four tokens agree: drafts of seven tokens, of which those behind the first wrong one do not count.
  for (let draft = 0; draft < 30; draft++) rate.add(3, true);
  assert.ok(Math.abs(rate.rate - 0.75) < 0.05, String(rate.rate));
  for (let draft = 0; draft < 30; draft++) rate.add(7, false);
  assert.ok(rate.rate > 0.9, String(rate.rate));
});

test('falls with every rejected draft, and rises again in steps without one', () => {
  const rate = new Acceptance(() => 0.4);
  const seen = Array.from({ length: 8 }, () => {
    rate.add(0, true);
    return rate.rate;
  });
  assert.deepEqual(
    seen,
    seen.toSorted((a, b) => b - a),
  );
  assert.ok(seen[7]! < 0.2);
  for (let step = 0; step < 200; step++) rate.rest();
  assert.ok(rate.rate > 0.2 && rate.rate < 0.4, String(rate.rate));
});
