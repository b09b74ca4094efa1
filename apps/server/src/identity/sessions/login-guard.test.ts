import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { ApiError } from '@gptj-cloud/protocol';
import { sql } from 'drizzle-orm';
import type { Store } from '../../store/db.ts';
import { openTestStore } from '../../testing/test-store.ts';
import { loginFailures } from '../identity-tables.ts';
import type { KnownOrigin } from './known-device-store.ts';
import { beginCheck, beginSignIn, clearFailures, enforceRateLimit } from './login-guard.ts';

let store: Store;
let nowMs: number;
before(async () => {
  store = await openTestStore();
});
after(() => store.close());
beforeEach(async () => {
  nowMs = Date.UTC(2026, 0, 1);
  await store.db.delete(loginFailures);
});

const STRANGER = '192.0.2.1';
const attempt = (login: string, address: string, known: KnownOrigin = null) =>
  beginSignIn(store.db, new Date(nowMs), { login, address, known });

/** Seconds until the next attempt, or 0 when this one was allowed. */
async function wait(login: string, address = STRANGER, known: KnownOrigin = null): Promise<number> {
  return await waitFor(() => attempt(login, address, known));
}

async function waitFor(work: () => Promise<unknown>): Promise<number> {
  try {
    await work();
    return 0;
  } catch (error) {
    assert.ok(error instanceof ApiError && error.code === 'too_many_attempts');
    return error.retryAfterSeconds ?? -1;
  }
}

test('locks a login at one address after five failures, each time for twice as long, up to an hour', async () => {
  for (let i = 0; i < 5; i++) assert.equal(await wait('percy'), 0);
  const locks: number[] = [];
  for (let i = 0; i < 10; i++) {
    const seconds = await wait('percy');
    locks.push(seconds);
    nowMs += seconds * 1000 - 1;
    assert.equal(await wait('percy'), 1);
    nowMs += 1;
    assert.equal(await wait('percy'), 0);
  }
  assert.deepEqual(locks, [15, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
});

test('a lockout does not outlast a clock that is set back', async () => {
  for (let i = 0; i < 5; i++) await wait('percy');
  assert.equal(await wait('percy'), 15);
  nowMs -= 3_600_000;
  assert.equal(await wait('percy'), 0);
  assert.equal(await wait('percy'), 30);
});

test('attempts during a lockout are refused and do not lengthen it', async () => {
  for (let i = 0; i < 5; i++) await wait('percy');
  for (let i = 0; i < 50; i++) assert.equal(await wait('percy'), 15);
  nowMs += 15_000;
  assert.equal(await wait('percy'), 0);
});

test('allows as many parallel attempts as attempts in sequence', async () => {
  const waits = await Promise.all(Array.from({ length: 40 }, () => wait('percy')));
  assert.equal(waits.filter((seconds) => seconds === 0).length, 5);
});

test('failures of strangers do not slow a device down that has signed in before', async () => {
  const device = { device: 'device-of-percy' };
  for (let i = 0; i < 120; i++) await wait('percy', `198.51.100.${i}`);
  assert.ok((await wait('percy', '203.0.113.1')) > 0);
  assert.equal(await wait('percy', '203.0.113.1', device), 0);
  // Also from an address that is locked out itself.
  for (let i = 0; i < 40; i++) await wait(`user-${i}`, '203.0.113.2');
  assert.ok((await wait('mary', '203.0.113.2')) > 0);
  assert.equal(await wait('percy', '203.0.113.2', device), 0);
});

test('a known device has five guesses of its own, wherever it is', async () => {
  const device = { device: 'stolen' };
  for (let i = 0; i < 5; i++) assert.equal(await wait('percy', `192.0.2.${i}`, device), 0);
  assert.equal(await wait('percy', '192.0.2.9', device), 15);
  assert.equal(await wait('percy', '192.0.2.9'), 0);
  nowMs += 15_000;
  await (await attempt('percy', '192.0.2.1', device)).succeeded();
  for (let i = 0; i < 5; i++) assert.equal(await wait('percy', '192.0.2.1', device), 0);
});

test('strangers at many addresses have sixty guesses at a login together, then some hundred a day', async () => {
  let allowed = 0;
  for (let i = 0; i < 100; i++) if ((await wait('percy', `10.0.${i}.1`)) === 0) allowed++;
  assert.equal(allowed, 60);
  // Five minutes between tries, each from a fresh address, for a day.
  allowed = 0;
  for (let step = 0; step < 288; step++) {
    nowMs += 300_000;
    if ((await wait('percy', `10.${1 + (step >> 8)}.${step & 255}.1`)) === 0) allowed++;
  }
  assert.ok(allowed > 20 && allowed < 110, `${allowed} guesses`);
  // A network from which the user has signed in is not one of the strangers.
  assert.equal(await wait('percy', '203.0.113.7', 'network'), 0);
});

test('counts a login in one form, whatever its case, width and blanks', async () => {
  const spellings = ['percy', ' PERCY ', '\uff50ercy', 'Percy\u3000', '\tpercy'];
  for (const login of spellings) assert.equal(await wait(login), 0);
  for (const login of spellings) assert.equal(await wait(login), 15, JSON.stringify(login));
});

test('success clears the failures of the origin; a refunded attempt changes nothing', async () => {
  for (let i = 0; i < 4; i++) await wait('percy');
  await (await attempt('percy', STRANGER)).succeeded();
  for (let i = 0; i < 4; i++) assert.equal(await wait('percy'), 0);
  for (let i = 0; i < 20; i++) await (await attempt('percy', STRANGER)).refund();
  assert.equal(await wait('percy'), 0);
  assert.equal(await wait('percy'), 15);
});

test('checks in a session count for the session alone, and neither for the login nor for other sessions', async () => {
  const check = (owner: string) => beginCheck(store.db, new Date(nowMs), 'password', owner);
  for (let i = 0; i < 30; i++) await wait('percy');
  for (let i = 0; i < 5; i++) assert.equal(await waitFor(() => check('session-1')), 0);
  assert.equal(await waitFor(() => check('session-1')), 15);
  assert.equal(await waitFor(() => check('session-2')), 0);
  assert.equal(await wait('percy', '192.0.2.8'), 0);
});

test('a proof by mail clears what is counted for the logins and the second factor of the user', async () => {
  const percy = { id: 'user_percy', email: 'percy@example.com', username: 'Percy' };
  for (const login of ['percy', 'percy@example.com', 'percy-2']) for (let i = 0; i < 9; i++) await wait(login);
  await clearFailures(store.db, percy);
  assert.equal(await wait('percy', '192.0.2.2'), 0);
  assert.equal(await wait('percy'), 0);
  assert.equal(await wait('percy@example.com'), 0);
  assert.ok((await wait('percy-2')) > 0);
});

test('locks an address, or an IPv6 /64 network, that tries many logins, and no other address', async () => {
  for (let i = 0; i < 30; i++) assert.equal(await wait(`user-${i}`, '192.0.2.1'), 0);
  assert.ok((await wait('user-30', '192.0.2.1')) > 0);
  assert.equal(await wait('user-30', '192.0.2.2'), 0);
  for (let i = 0; i < 30; i++) assert.equal(await wait(`other-${i}`, `2001:db8:1:2::${i.toString(16)}`), 0);
  assert.ok((await wait('x', '2001:db8:1:2:ffff:1:2:3')) > 0);
  assert.equal(await wait('x', '2001:db8:1:3::1'), 0);
});

test('a successful sign-in does not clear the failures of the address', async () => {
  for (let i = 0; i < 29; i++) await wait(`user-${i}`, '192.0.2.1');
  await (await attempt('mallory', '192.0.2.1')).succeeded();
  assert.equal(await wait('user-29', '192.0.2.1'), 0);
  assert.ok((await wait('user-30', '192.0.2.1')) > 0);
});

test('resets the count after a day without failures, and deletes old rows', async () => {
  for (let i = 0; i < 5; i++) await wait('percy');
  nowMs += 25 * 3_600_000;
  for (let i = 0; i < 4; i++) assert.equal(await wait('percy'), 0);
  await (await attempt('mary', '192.0.2.1')).succeeded();
  // The address, the login there, and the login; of the one that succeeded, the login everywhere.
  assert.equal((await store.db.select().from(loginFailures)).length, 4);
});

test('limits registrations and mails for each address', async () => {
  const ask = () => enforceRateLimit(store.db, new Date(nowMs), 'register', '192.0.2.1');
  for (let i = 0; i < 20; i++) await ask();
  await assert.rejects(ask(), (error) => error instanceof ApiError && error.retryAfterSeconds === 60);
  await enforceRateLimit(store.db, new Date(nowMs), 'reset', '192.0.2.1');
});

test('stores no login as typed: it may be a password', async () => {
  await wait('my-password-by-mistake');
  const rows = await store.db.execute(sql`SELECT * FROM login_failures`);
  assert.doesNotMatch(JSON.stringify(rows), /mistake/);
});
