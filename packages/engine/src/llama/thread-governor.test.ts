import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ThreadGovernor } from './thread-governor.ts';

/** A machine on which an evaluation of one token takes `cost(threads)`, and threads get `share` of their processor time. */
function machine(max: number) {
  let now = 0;
  const governor = new ThreadGovernor({ max, now: () => now });
  const step = (cost: (threads: number) => number, share: number, tokens = 1): number => {
    const threads = governor.threads(tokens);
    const wallMs = cost(threads);
    now += wallMs;
    governor.measured({ tokens, threads, wallMs, cpuMs: threads === 1 ? wallMs : share * threads * wallMs });
    return threads;
  };
  const steps = (count: number, cost: (threads: number) => number, share: number, tokens = 1): number[] =>
    Array.from({ length: count }, () => step(cost, share, tokens));
  const pass = (ms: number): void => {
    now += ms;
  };
  return { steps, pass };
}

const quiet = (threads: number): number => 8 / threads;
/** Threads wait for the one that was sent away. */
const busy = (threads: number): number => (threads === 1 ? 8 : 18);

test('while all threads get their processor time, all compute', () => {
  const { steps } = machine(4);
  assert.deepEqual(new Set(steps(500, quiet, 0.98)), new Set([4]));
});

test('where others want the cores, the fastest count is found, and kept to but for a try now and then', () => {
  const { steps } = machine(4);
  steps(20, busy, 0.6);
  const used = steps(200, busy, 0.6);
  assert.ok(used.filter((threads) => threads === 1).length > 180, used.join(' '));
  assert.ok(used.some((threads) => threads === 4));
});

test('where all threads are fastest all the same, they are used', () => {
  const { steps } = machine(2);
  const used = steps(300, (threads) => 20 / threads, 0.7);
  assert.ok(used.filter((threads) => threads === 2).length > 285, used.join(' '));
});

test('sizes of batches are judged apart', () => {
  const { steps } = machine(2);
  const large = (threads: number): number => 20 / threads;
  for (let i = 0; i < 30; i++) {
    steps(3, busy, 0.6, 1);
    steps(3, large, 0.6, 50);
  }
  const small = steps(10, busy, 0.6, 1);
  assert.ok(small.filter((threads) => threads === 1).length >= 9);
  assert.ok(steps(10, large, 0.6, 50).filter((threads) => threads === 2).length >= 9);
});

test('long evaluations are left alone, whoever wants the cores', () => {
  const { steps } = machine(2);
  assert.deepEqual(new Set(steps(100, () => 90, 0.5)), new Set([2]));
});

test('when the others have left, all compute again', () => {
  const { steps, pass } = machine(2);
  steps(100, busy, 0.6);
  pass(2_500);
  assert.deepEqual(new Set(steps(300, quiet, 0.98)), new Set([2]));
});

test('a single core leaves nothing to choose', () => {
  const { steps } = machine(1);
  assert.deepEqual(new Set(steps(50, () => 8, 0.5)), new Set([1]));
});
