import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '@gptj-cloud/protocol';
import { NO_LIMITS } from '../../testing/no-limits.ts';
import type { LoadLimits } from './load-limits.ts';
import { type Arrival, createLoadControl } from './request-load.ts';

const FAR = '198.51.100.7';
const HALF_A_CORE: Partial<LoadLimits> = { workBurstMs: 1000, workMsPerSecond: 500 };

function control(limits: Partial<LoadLimits>) {
  const clock = { ms: 0 };
  const loads = createLoadControl({ ...NO_LIMITS, ...limits }, () => clock.ms);
  const arrive = (arrival: Partial<Arrival> = {}) => loads.arrive({ address: FAR, credential: undefined, ...arrival });
  /** One request that takes so long. */
  const spend = (ms: number, arrival: Partial<Arrival> = {}, user?: string, isExempt = false) => {
    const load = arrive(arrival);
    try {
      if (user !== undefined) load.identify(user, { isExempt });
      load.add(ms);
    } finally {
      load.end();
    }
  };
  return { clock, arrive, spend };
}

function refusedWith(code: string, retryAfterSeconds?: number) {
  return (error: unknown): boolean =>
    error instanceof ApiError &&
    error.code === code &&
    (error.retryAfterSeconds ?? 0) > 0 &&
    (retryAfterSeconds === undefined || error.retryAfterSeconds === retryAfterSeconds);
}

test('refuses a client that took more than its share, says when to come back, and lets it in again then', () => {
  const { clock, spend } = control(HALF_A_CORE);
  spend(1500);
  assert.throws(() => spend(0), refusedWith('work_limited', 2));
  assert.throws(
    () => spend(0),
    (error) => error instanceof ApiError && /^"work";r=0;t=\d+$/.test(error.headers.RateLimit ?? ''),
  );
  clock.ms += 2000;
  spend(0);
});

test('a client under its share is never refused, however long it goes on', () => {
  const { clock, spend } = control(HALF_A_CORE);
  for (let i = 0; i < 10_000; i++) {
    spend(40);
    clock.ms += 100;
  }
});

test('requests pay that are refused afterwards, and debt has an end', () => {
  const { clock, spend, arrive } = control(HALF_A_CORE);
  const slow = arrive();
  slow.add(1_000_000);
  slow.settle(400);
  slow.end();
  assert.throws(() => spend(0), refusedWith('work_limited', 2));
  clock.ms += 2100;
  spend(0);
});

test('counts a user at every address, and an address with every user', () => {
  const { spend } = control(HALF_A_CORE);
  spend(600, {}, 'user:a');
  spend(600, { address: '203.0.113.1' }, 'user:a');
  assert.throws(() => spend(0, { address: '203.0.113.2' }, 'user:a'), refusedWith('work_limited'));
  spend(600, {}, 'user:b');
  assert.throws(() => spend(0, {}, 'user:c'), refusedWith('work_limited'));
  spend(0, { address: '203.0.113.2' }, 'user:c');
});

test('clients on this machine, which may be those of a proxy, do not pay for each other once authenticated', () => {
  const { spend } = control(HALF_A_CORE);
  const local = { address: '127.0.0.1' };
  spend(1, { ...local, credential: 'Bearer b' }, 'user:b');
  spend(2000, local);
  assert.throws(() => spend(0, local), refusedWith('work_limited'));
  assert.throws(() => spend(0, { ...local, credential: 'Bearer guessed' }), refusedWith('work_limited'));
  spend(0, { ...local, credential: 'Bearer b' }, 'user:b');
});

test('owners of the server are measured and not refused', () => {
  const { spend } = control({ ...HALF_A_CORE, requestsPerClient: 1 });
  const owner = { credential: 'Bearer o' };
  spend(5000, owner, 'user:o', true);
  spend(5000, owner, 'user:o', true);
});

test('counts an IPv6 client by its network, and nothing by an unknown address', () => {
  const { spend } = control(HALF_A_CORE);
  spend(1500, { address: '2001:db8:1:2::1' });
  assert.throws(() => spend(0, { address: '2001:db8:1:2:ffff::9' }), refusedWith('work_limited'));
  spend(0, { address: '2001:db8:1:3::1' });
  spend(5000, { address: '' });
  spend(5000, { address: '' });
});

test('limits the requests under way of an address, of a user and of all, and counts down when they end', () => {
  const { arrive } = control({ requests: 4, requestsPerAddress: 2, requestsPerClient: 1 });
  const first = arrive();
  const second = arrive();
  assert.throws(() => arrive(), refusedWith('too_many_requests_at_once'));
  first.identify('user:a', { isExempt: false });
  const third = arrive();
  assert.throws(() => third.identify('user:a', { isExempt: false }), refusedWith('too_many_requests_at_once'));
  third.end();
  const fourth = arrive();
  const fifth = arrive({ address: '203.0.113.1' });
  assert.throws(() => arrive({ address: '203.0.113.1' }), refusedWith('server_busy'));
  for (const load of [first, second, fourth, fifth, fifth]) load.end();
  for (let i = 0; i < 2; i++) arrive();
});

test('limits the bytes in flight of a client and of all, and holds nothing of what it refuses', () => {
  const { arrive } = control({ bytes: 100, bytesPerClient: 60 });
  const first = arrive();
  first.hold(60);
  assert.throws(() => first.hold(1), refusedWith('too_many_bytes_in_flight'));
  first.identify('user:a', { isExempt: false });
  const second = arrive();
  second.hold(40);
  assert.throws(() => second.hold(1), refusedWith('too_many_bytes_in_flight'));
  first.end();
  second.hold(20);
  second.end();
  arrive().hold(60);
});

test('limits the streams of a user and of all', () => {
  const { arrive } = control({ streams: 3, streamsPerClient: 2 });
  const open = (user: string) => {
    const load = arrive();
    load.identify(user, { isExempt: false });
    load.holdStream();
    load.holdStream();
    return load;
  };
  const first = open('user:a');
  open('user:a');
  assert.throws(() => open('user:a'), refusedWith('too_many_streams'));
  open('user:b');
  assert.throws(() => open('user:c'), refusedWith('server_busy'));
  first.end();
  open('user:a');
});

test('counts attempts without credentials by address, and gives back those that succeed', () => {
  const { clock, arrive } = control({ attemptsBurst: 3, attemptsPerSecond: 0.1 });
  const attempt = (status: number) => {
    const load = arrive();
    load.countAttempt();
    load.settle(status);
    load.end();
  };
  for (let i = 0; i < 10; i++) attempt(200);
  for (let i = 0; i < 3; i++) attempt(401);
  assert.throws(() => attempt(200), refusedWith('too_many_attempts'));
  clock.ms += 10_000;
  attempt(200);
});

test('probes pay from a budget of their own, and are answered while all places are taken', () => {
  const { arrive, spend } = control({ ...HALF_A_CORE, requests: 1 });
  const probe = { isProbe: true };
  spend(5000);
  spend(10, probe);
  arrive({ address: '203.0.113.1' });
  spend(10, probe);
  spend(2000, probe);
  assert.throws(() => spend(0, probe), refusedWith('work_limited'));
});
