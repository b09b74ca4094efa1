import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { ApiError } from '@gptj-cloud/protocol';
import { sql } from 'drizzle-orm';
import type { Store } from '../../store/db.ts';
import { openTestStore } from '../../testing/test-store.ts';
import { loginFailures } from '../identity-tables.ts';
import { beginAttempt, enforceRateLimit } from './login-guard.ts';

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

const attempt = (account: string, address: string) => beginAttempt(store.db, new Date(nowMs), account, address);

/** Seconds until the next attempt, or 0 when this one was allowed. */
async function wait(account: string, address = '192.0.2.1'): Promise<number> {
  try {
    await attempt(account, address);
    return 0;
  } catch (error) {
    assert.ok(error instanceof ApiError && error.code === 'too_many_attempts');
    return error.retryAfterSeconds ?? -1;
  }
}

test('locks an account after five failures, each time for twice as long, up to an hour', async () => {
  for (let i = 0; i < 5; i++) assert.equal(await wait('percy', `192.0.2.${i}`), 0);
  const locks: number[] = [];
  for (let i = 0; i < 10; i++) {
    const seconds = await wait('percy', `198.51.100.${i}`);
    locks.push(seconds);
    nowMs += seconds * 1000 - 1;
    assert.equal(await wait('percy', `203.0.113.${i}`), 1);
    nowMs += 1;
    assert.equal(await wait('percy', `203.0.113.${i}`), 0);
  }
  assert.deepEqual(locks, [15, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
});

test('attempts during a lockout are refused and do not lengthen it', async () => {
  for (let i = 0; i < 5; i++) await wait('percy', `192.0.2.${i}`);
  for (let i = 0; i < 50; i++) assert.equal(await wait('percy', `192.0.2.${i}`), 15);
  nowMs += 15_000;
  assert.equal(await wait('percy', '192.0.2.99'), 0);
});

test('allows as many parallel attempts as attempts in sequence', async () => {
  const waits = await Promise.all(Array.from({ length: 40 }, (_, i) => wait('percy', `192.0.2.${i}`)));
  assert.equal(waits.filter((seconds) => seconds === 0).length, 5);
});

test('success clears the failures of the account; a refunded attempt changes nothing', async () => {
  for (let i = 0; i < 4; i++) await wait('percy');
  await (await attempt('percy', '192.0.2.1')).succeeded();
  for (let i = 0; i < 4; i++) assert.equal(await wait('percy'), 0);
  for (let i = 0; i < 20; i++) await (await attempt('percy', '192.0.2.1')).refund();
  assert.equal(await wait('percy'), 0);
  assert.equal(await wait('percy'), 15);
});

test('locks an address, or an IPv6 /64 network, that tries many accounts, and no other address', async () => {
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
  for (let i = 0; i < 5; i++) await wait('percy', `192.0.2.${i}`);
  nowMs += 25 * 3_600_000;
  for (let i = 0; i < 4; i++) assert.equal(await wait('percy'), 0);
  await (await attempt('mary', '192.0.2.1')).succeeded();
  // The account and the address of the last four.
  assert.equal((await store.db.select().from(loginFailures)).length, 2);
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
