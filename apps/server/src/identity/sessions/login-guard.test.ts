import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { ApiError } from '@gptj-cloud/protocol';
import { sql } from 'drizzle-orm';
import type { Store } from '../../store/db.ts';
import { openTestStore } from '../../testing/test-store.ts';
import { loginFailures } from '../identity-tables.ts';
import { beginAttempt, countAsking } from './login-guard.ts';

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

/** Seconds to wait, or 0 when the attempt was let through. */
async function wait(account: string, address = '192.0.2.1'): Promise<number> {
  try {
    await attempt(account, address);
    return 0;
  } catch (error) {
    assert.ok(error instanceof ApiError && error.code === 'too_many_attempts');
    return error.retryAfterSeconds ?? -1;
  }
}

test('after five failures an account is locked, each time twice as long, at most an hour', async () => {
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

test('tries while it is locked are not looked at and do not lengthen the lock', async () => {
  for (let i = 0; i < 5; i++) await wait('percy', `192.0.2.${i}`);
  for (let i = 0; i < 50; i++) assert.equal(await wait('percy', `192.0.2.${i}`), 15);
  nowMs += 15_000;
  assert.equal(await wait('percy', '192.0.2.99'), 0);
});

test('of parallel attempts no more are looked at than of attempts in a row', async () => {
  const waits = await Promise.all(Array.from({ length: 40 }, (_, i) => wait('percy', `192.0.2.${i}`)));
  assert.equal(waits.filter((seconds) => seconds === 0).length, 5);
});

test('success forgets the account; an attempt that was neither right nor wrong changes nothing', async () => {
  for (let i = 0; i < 4; i++) await wait('percy');
  await (await attempt('percy', '192.0.2.1')).succeeded();
  for (let i = 0; i < 4; i++) assert.equal(await wait('percy'), 0);
  for (let i = 0; i < 20; i++) await (await attempt('percy', '192.0.2.1')).takeBack();
  assert.equal(await wait('percy'), 0);
  assert.equal(await wait('percy'), 15);
});

test('an address that tries many accounts is locked, an IPv6 customer as one; others are not', async () => {
  for (let i = 0; i < 30; i++) assert.equal(await wait(`user-${i}`, '192.0.2.1'), 0);
  assert.ok((await wait('user-30', '192.0.2.1')) > 0);
  assert.equal(await wait('user-30', '192.0.2.2'), 0);
  for (let i = 0; i < 30; i++) assert.equal(await wait(`other-${i}`, `2001:db8:1:2::${i.toString(16)}`), 0);
  assert.ok((await wait('x', '2001:db8:1:2:ffff:1:2:3')) > 0);
  assert.equal(await wait('x', '2001:db8:1:3::1'), 0);
});

test("signing in to an account of one's own does not free an address that tries others", async () => {
  for (let i = 0; i < 29; i++) await wait(`user-${i}`, '192.0.2.1');
  await (await attempt('mallory', '192.0.2.1')).succeeded();
  assert.equal(await wait('user-29', '192.0.2.1'), 0);
  assert.ok((await wait('user-30', '192.0.2.1')) > 0);
});

test('after a day without failures all is forgotten, and old rows go', async () => {
  for (let i = 0; i < 5; i++) await wait('percy', `192.0.2.${i}`);
  nowMs += 25 * 3_600_000;
  for (let i = 0; i < 4; i++) assert.equal(await wait('percy'), 0);
  await (await attempt('mary', '192.0.2.1')).succeeded();
  // The account and the address of the last four.
  assert.equal((await store.db.select().from(loginFailures)).length, 2);
});

test('asking for accounts and mails is bounded by address', async () => {
  const ask = () => countAsking(store.db, new Date(nowMs), 'register', '192.0.2.1');
  for (let i = 0; i < 20; i++) await ask();
  await assert.rejects(ask(), (error) => error instanceof ApiError && error.retryAfterSeconds === 60);
  await countAsking(store.db, new Date(nowMs), 'reset', '192.0.2.1');
});

test('what was typed as a login is not stored: it may be a password', async () => {
  await wait('my-password-by-mistake');
  const rows = await store.db.execute(sql`SELECT * FROM login_failures`);
  assert.doesNotMatch(JSON.stringify(rows), /mistake/);
});
