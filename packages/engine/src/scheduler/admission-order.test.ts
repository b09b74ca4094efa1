import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Holder, largestOf, nextAdmission } from './admission-order.ts';

interface Named extends Holder {
  readonly name: string;
}

const capacity = { cells: 1_000, sequences: 100 };
const holder = (name: string, tenant: string | null, cells: number, arrivedAt = 0, priority = 0): Named => ({
  name,
  tenant,
  priority,
  reservation: { cells, sequences: 1 },
  arrivedAt,
});
const next = (
  waiting: readonly Named[],
  active: readonly Named[],
  now = 0,
  cells = capacity.cells,
): string | undefined =>
  nextAdmission(waiting, active, { capacity: { ...capacity, cells }, now, isReady: () => true })?.name;

test('a tenant beside others holds half of the cache, and the others are admitted past it', () => {
  const active = [holder('a1', 'a', 300), holder('b1', 'b', 100)];
  const waiting = [holder('a2', 'a', 300), holder('b2', 'b', 300)];
  assert.equal(next(waiting, active), 'b2');
  assert.equal(next([holder('a3', 'a', 200)], active), 'a3');
});

test('an eighth stays free of generations that are not small', () => {
  assert.equal(next([holder('a2', 'a', 300)], [holder('a1', 'a', 600)]), undefined);
  assert.equal(next([holder('a2', 'a', 275)], [holder('a1', 'a', 600)]), 'a2');
  assert.equal(next([holder('b1', 'b', 300)], [holder('a1', 'a', 600)]), undefined);
  assert.equal(next([holder('b1', 'b', 275)], [holder('a1', 'a', 600)]), 'b1');
  assert.equal(next([holder('whole context', 'a', 990)], []), 'whole context');
  assert.deepEqual(largestOf(capacity), { cells: 875, sequences: 87.5 });
});

test('small generations are admitted into the room, half of which is for those of a priority above 0', () => {
  const large = [holder('a1', 'a', 437), holder('b1', 'b', 438)];
  const small = (count: number) => Array.from({ length: count }, (_, at) => holder(`c${at}`, `c${at}`, 30));
  assert.equal(next([holder('d1', 'd', 30)], [...large, ...small(1)]), 'd1');
  assert.equal(next([holder('d1', 'd', 30)], [...large, ...small(2)]), undefined);
  assert.equal(next([holder('owner', 'd', 30, 0, 20)], [...large, ...small(2)]), 'owner');
  assert.equal(next([holder('owner', 'd', 30, 0, 20)], [...large, ...small(4)]), undefined);
  assert.equal(next([holder('d1', 'd', 40)], large), undefined, 'it is not small');
});

test('small generations do not delay a large one that waits, as long as they are in the room', () => {
  const waiting = [holder('large', 'b', 437, 1, 20), holder('owner', 'c', 30, 2, 20)];
  const active = [holder('a1', 'a', 437), holder('d1', 'd', 437)];
  assert.equal(next(waiting, active), 'owner');
  const ones = (count: number) => Array.from({ length: count }, (_, at) => holder(`c${at}`, `c${at}`, 30, 3, 20));
  assert.equal(next(waiting, [...active.slice(0, 1), ...ones(4)]), 'large');
});

test('small generations are admitted while a large one waits for later ones that passed it when its tenant had its share', () => {
  const large = holder('large', 'a', 700, 0);
  const active = [holder('b1', 'b', 300, 1)];
  assert.equal(next([large, holder('owner', 'c', 30, 2, 20)], active, 250_000), 'owner');
  assert.equal(next([large, holder('c1', 'c', 30, 2)], active, 250_000), 'c1');
  assert.equal(next([large, holder('c2', 'c', 200, 2)], active, 250_000), undefined, 'it is not small');
  assert.equal(next([large, holder('c3', 'c', 30, 2)], [], 250_000), 'large');
});

test('a generation larger than a share waits for the others, and is admitted before newer ones after a while', () => {
  const large = holder('large', 'a', 900, 0);
  const small = holder('b2', 'b', 200, 5_000);
  assert.equal(next([large, small], [holder('b1', 'b', 100)], 5_000), 'b2');
  assert.equal(next([large, small], [holder('b1', 'b', 200)], 12_000), undefined);
  assert.equal(next([large, small], [], 12_000), 'large');
});

test('smaller generations pass one that does not fit as long as it fits beside those that passed it', () => {
  // All but the room is 1,000.
  const nextOfThousand = (waiting: readonly Named[], active: readonly Named[]): string | undefined =>
    next(waiting, active, 0, 8000 / 7);
  const active = [holder('b1', 'b', 400, 0), holder('c1', 'c', 100, 1)];
  const waiting = [holder('first', 'a', 500, 2), holder('d1', 'd', 300, 3), holder('e1', 'e', 400, 4)];
  assert.equal(
    nextOfThousand([holder('first', 'a', 500, 2), holder('d1', 'd', 300, 3)], [...active, holder('x', 'x', 100, 0)]),
    'd1',
  );
  assert.equal(nextOfThousand(waiting.slice(0, 1), active), 'first');
  const passed = [...active, holder('x', 'x', 100, 0), holder('d1', 'd', 300, 3)];
  assert.equal(
    nextOfThousand([holder('first', 'a', 500, 2), holder('e1', 'e', 100, 4), holder('f', 'f', 300, 5)], passed),
    'e1',
  );
  assert.equal(nextOfThousand([holder('first', 'a', 500, 2), holder('f', 'f', 300, 5)], passed), undefined);
});

test('without tenants the cache is filled in order', () => {
  assert.equal(next([holder('second', null, 400)], [holder('first', null, 600)]), 'second');
});
