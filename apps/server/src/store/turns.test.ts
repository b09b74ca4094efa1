import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { mock, test } from 'node:test';
import { createTurns, type Payer } from './turns.ts';

const payer = (name: string, share = 1): Payer => ({ name, share });
const never = (): never => assert.fail('the wait must not expire');

/** One place; every turn of a payer takes as long as the payer's name says in `costs`. The order in which turns began. */
function order(costs: Readonly<Record<string, number>>, callers: readonly Payer[]): string[] {
  let time = 0;
  const began: string[] = [];
  const leaves: (() => void)[] = [];
  const turns = createTurns({ places: 1, timeoutMs: 60_000, now: () => time });
  for (const caller of callers) {
    turns.enter(
      caller,
      (leave) => {
        began.push(caller.name);
        leaves.push(() => {
          time += costs[caller.name] ?? 1;
          leave();
        });
      },
      never,
    );
  }
  while (leaves.length > 0) leaves.shift()?.();
  return began;
}

test('a payer with one caller waits for one turn of each other payer, not for their queues', () => {
  const busy = Array.from({ length: 50 }, () => [payer('a'), payer('b')]).flat();
  const began = order({}, [...busy, payer('owner')]);
  assert.equal(began.length, 101);
  assert.ok(began.indexOf('owner') <= 3, began.slice(0, 5).join(' '));
});

test('turns are shared by their time: a payer whose turns take ten times as long gets a tenth as many', () => {
  const callers = Array.from({ length: 100 }, () => [payer('long'), payer('short')]).flat();
  const began = order({ long: 10, short: 1 }, callers).slice(0, 66);
  const long = began.filter((name) => name === 'long').length;
  assert.ok(long >= 5 && long <= 8, `${long} long turns of 66`);
});

test('a payer with a share of four gets four times as many turns', () => {
  const callers = Array.from({ length: 100 }, () => [payer('server', 4), payer('user')]).flat();
  const began = order({}, callers).slice(0, 50);
  const server = began.filter((name) => name === 'server').length;
  assert.ok(server >= 38 && server <= 42, `${server} turns of 50`);
});

test('callers of one payer keep their order', () => {
  const began: number[] = [];
  const turns = createTurns({ places: 1, timeoutMs: 60_000 });
  const leaves: (() => void)[] = [];
  for (let at = 0; at < 5; at++) {
    turns.enter(
      payer('a'),
      (leave) => {
        began.push(at);
        leaves.push(leave);
      },
      never,
    );
  }
  while (leaves.length > 0) leaves.shift()?.();
  assert.deepEqual(began, [0, 1, 2, 3, 4]);
  assert.equal(turns.waiting, 0);
});

test('a turn begins in the async context of its caller', () => {
  const context = new AsyncLocalStorage<string>();
  const turns = createTurns({ places: 1, timeoutMs: 60_000 });
  const seen: (string | undefined)[] = [];
  const leaves: (() => void)[] = [];
  const enter = (name: string): void =>
    context.run(name, () =>
      turns.enter(
        payer('a'),
        (leave) => {
          seen.push(context.getStore());
          leaves.push(leave);
        },
        never,
      ),
    );
  enter('first');
  enter('second');
  leaves.shift()?.();
  assert.deepEqual(seen, ['first', 'second']);
});

test('a wait that is too long expires, and its place in the line is gone', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const turns = createTurns({ places: 1, timeoutMs: 1_000 });
    const leaves: (() => void)[] = [];
    let expired = 0;
    turns.enter(payer('a'), (leave) => leaves.push(leave), never);
    turns.enter(
      payer('a'),
      () => assert.fail('it expired'),
      () => expired++,
    );
    mock.timers.tick(1_000);
    assert.equal(expired, 1);
    leaves.shift()?.();
    leaves.shift()?.();
    turns.enter(payer('b'), (leave) => leaves.push(leave), never);
    assert.equal(leaves.length, 1);
  } finally {
    mock.timers.reset();
  }
});

test('leaving twice frees one place', () => {
  const turns = createTurns({ places: 1, timeoutMs: 60_000 });
  const leaves: (() => void)[] = [];
  for (let at = 0; at < 3; at++) turns.enter(payer('a'), (leave) => leaves.push(leave), never);
  const [first] = leaves;
  first?.();
  first?.();
  assert.equal(leaves.length, 2);
});
