import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ThreadGovernor } from './thread-governor.ts';

/**
 * A simulated machine: an evaluation takes `cost(threads)` ms, and threads get `share` of the processor time. The system
 * counts `free` cores, by default more than the process may use, as in a container.
 */
function machine(maxThreads: number, free: () => number | null = () => 64) {
  let now = 0;
  const governor = new ThreadGovernor({
    maxThreads,
    now: () => now,
    freeCores: free,
    singleThreadMs: (tokens) => 8 * tokens,
  });
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
/** The threads wait for one that has lost its core. */
const busy = (threads: number): number => (threads === 1 ? 8 : 18);

test('uses all threads while they get their processor time', () => {
  const { steps } = machine(4);
  assert.deepEqual(new Set(steps(500, quiet, 0.98)), new Set([4]));
});

test('uses the fastest thread count on contended cores, and measures the others from time to time', () => {
  const { steps } = machine(4);
  steps(20, busy, 0.6);
  const used = steps(200, busy, 0.6);
  assert.ok(used.filter((threads) => threads === 1).length > 180, used.join(' '));
  assert.ok(used.some((threads) => threads === 4));
});

test('uses all threads on contended cores where they are the fastest', () => {
  const { steps } = machine(2);
  const used = steps(300, (threads) => 20 / threads, 0.7);
  assert.ok(used.filter((threads) => threads === 2).length > 285, used.join(' '));
});

test('measures every batch size separately', () => {
  const { steps } = machine(2);
  const large = (threads: number): number => 20 / threads;
  for (let i = 0; i < 30; i++) {
    steps(3, busy, 0.6, 1);
    steps(3, large, 0.6, 30);
  }
  const small = steps(10, busy, 0.6, 1);
  assert.ok(small.filter((threads) => threads === 1).length >= 9);
  assert.ok(steps(10, large, 0.6, 30).filter((threads) => threads === 2).length >= 9);
});

test('uses all threads for long evaluations, also on contended cores', () => {
  const { steps } = machine(2);
  assert.deepEqual(new Set(steps(100, () => 90, 0.5, 50)), new Set([2]));
});

test('uses all threads again when the contention has ended', () => {
  const { steps, pass } = machine(2);
  steps(100, busy, 0.6);
  pass(2_500);
  assert.deepEqual(new Set(steps(300, quiet, 0.98)), new Set([2]));
});

test('uses one thread on one core', () => {
  const { steps } = machine(1);
  assert.deepEqual(new Set(steps(50, () => 8, 0.5)), new Set([1]));
});

test('uses no more threads than there are free cores, from the first evaluation on', () => {
  let free: number | null = 1.1;
  const { steps, pass } = machine(4, () => free);
  assert.deepEqual(new Set(steps(100, busy, 0.6)), new Set([1]));
  free = 2.2;
  assert.deepEqual(new Set(steps(100, quiet, 0.98)), new Set([2]));
  free = 4;
  pass(2_500);
  assert.deepEqual(new Set(steps(100, quiet, 0.98)), new Set([4]));
});

test('uses one thread until the number of free cores is known', () => {
  let free: number | null = null;
  const { steps } = machine(2, () => free);
  assert.deepEqual(steps(2, quiet, 0.98), [1, 1]);
  free = 2;
  assert.deepEqual(steps(2, quiet, 0.98), [2, 2]);
});

test('uses all threads for long evaluations whatever the number of free cores', () => {
  const { steps } = machine(2, () => 0.5);
  assert.deepEqual(new Set(steps(10, () => 400, 0.5, 40)), new Set([2]));
});
