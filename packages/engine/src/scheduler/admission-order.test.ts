import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Holder, nextAdmission } from './admission-order.ts';

interface Named extends Holder {
  readonly name: string;
}

const capacity = { cells: 1_000, sequences: 100 };
const holder = (name: string, tenant: string | null, cells: number, arrivedAt = 0): Named => ({
  name,
  tenant,
  reservation: { cells, sequences: 1 },
  arrivedAt,
});
const next = (waiting: readonly Named[], active: readonly Named[], now = 0): string | undefined =>
  nextAdmission(waiting, active, { capacity, now, isReady: () => true })?.name;

test('a tenant beside others holds half of the cache, and the others are admitted past it', () => {
  const active = [holder('a1', 'a', 300), holder('b1', 'b', 100)];
  const waiting = [holder('a2', 'a', 300), holder('b2', 'b', 300)];
  assert.equal(next(waiting, active), 'b2');
  assert.equal(next([holder('a3', 'a', 200)], active), 'a3');
});

test('a tenant alone leaves an eighth free, unless one generation needs it', () => {
  assert.equal(next([holder('a2', 'a', 300)], [holder('a1', 'a', 600)]), undefined);
  assert.equal(next([holder('a2', 'a', 275)], [holder('a1', 'a', 600)]), 'a2');
  assert.equal(next([holder('large', 'a', 990)], []), 'large');
});

test('a generation larger than a share waits for the others, and is admitted before newer ones after a while', () => {
  const large = holder('large', 'a', 900, 0);
  const small = holder('b2', 'b', 200, 5_000);
  assert.equal(next([large, small], [holder('b1', 'b', 100)], 5_000), 'b2');
  assert.equal(next([large, small], [holder('b1', 'b', 200)], 12_000), undefined);
  assert.equal(next([large, small], [], 12_000), 'large');
});

test('small generations pass one that does not fit as long as it fits beside those that passed it', () => {
  const active = [holder('b1', 'b', 400, 0), holder('c1', 'c', 100, 1)];
  const waiting = [holder('first', 'a', 500, 2), holder('d1', 'd', 300, 3), holder('e1', 'e', 400, 4)];
  assert.equal(
    next([holder('first', 'a', 500, 2), holder('d1', 'd', 300, 3)], [...active, holder('x', 'x', 100, 0)]),
    'd1',
  );
  assert.equal(next(waiting.slice(0, 1), active), 'first');
  const passed = [...active, holder('x', 'x', 100, 0), holder('d1', 'd', 300, 3)];
  assert.equal(next([holder('first', 'a', 500, 2), holder('e1', 'e', 100, 4), holder('f', 'f', 300, 5)], passed), 'e1');
  assert.equal(next([holder('first', 'a', 500, 2), holder('f', 'f', 300, 5)], passed), undefined);
});

test('without tenants the cache is filled in order', () => {
  assert.equal(next([holder('second', null, 400)], [holder('first', null, 600)]), 'second');
});
