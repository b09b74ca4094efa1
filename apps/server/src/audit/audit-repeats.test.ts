import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { ApiError, type AuditAction } from '@gptj-cloud/protocol';
import { sql } from 'drizzle-orm';
import type { Store } from '../store/db.ts';
import { openTestStore } from '../testing/test-store.ts';
import { type Caller, listAudit, recordAudit } from './audit-log.ts';
import { createAuditSweeper } from './audit-sweeper.ts';
import { auditRepeats } from './audit-tables.ts';

const START = Date.parse('2026-03-01T10:00:00Z');
const HOUR_MS = 3_600_000;
const USER: Caller = { userId: 'user_1', apiKeyId: null, address: '198.51.100.7', requestId: 'r' };
const STRANGER: Caller = { ...USER, userId: null };

let store: Store;
before(async () => {
  store = await openTestStore();
});
after(() => store.close());
beforeEach(async () => {
  await store.db.delete(auditRepeats);
});

const act = (caller: Caller, action: AuditAction, ms: number): Promise<void> =>
  recordAudit(store.db, new Date(START + ms), caller, { action, subject: null });
const page = { skip: 0, limit: 100, orderBy: { field: 'created_at', direction: 'asc' } } as const;
const linesOf = async (action: string) => (await listAudit(store.db, page, { action })).data;

test('refuses a change that the user has made 120 times within an hour, and writes every one that is made', async () => {
  for (let i = 0; i < 120; i++) await act(USER, 'user.update', i);
  const refused = async (ms: number): Promise<ApiError> => {
    try {
      await act(USER, 'user.update', ms);
    } catch (error) {
      assert.ok(error instanceof ApiError);
      return error;
    }
    return assert.fail('expected a refusal');
  };
  const { code, status, retryAfterSeconds } = await refused(HOUR_MS / 2);
  assert.deepEqual([code, status, retryAfterSeconds], ['too_many_changes', 429, 1800]);
  await act({ ...USER, userId: 'user_2' }, 'user.update', 1);
  await act(USER, 'token.create', 1);
  await act(USER, 'user.update', HOUR_MS);
  assert.equal((await listAudit(store.db, page, { action: 'user.update' })).total, 122);
});

test('failed sign-ins have fewer and fewer lines within an hour, which state how many had none', async () => {
  for (let i = 0; i < 100; i++) await act(STRANGER, 'user.sign_in_failed', i);
  await act(STRANGER, 'user.sign_in_failed', HOUR_MS + 1);
  const unlisted = (await linesOf('user.sign_in_failed')).map(({ details }) => details.unlisted_before ?? 0);
  assert.deepEqual(unlisted, [...new Array(20).fill(0), 19, 39, 20]);
});

test('what owners of the server do to accounts always has a line', async () => {
  for (let i = 0; i < 130; i++) await act(USER, 'user.disable', i);
  assert.equal((await listAudit(store.db, page, { action: 'user.disable' })).total, 130);
});

test('entries are deleted by their retention alone', async () => {
  await act(USER, 'user.enable', 0);
  await assert.rejects(async () => await store.db.execute(sql`DELETE FROM audit_log`));
  await assert.rejects(async () => await store.db.execute(sql`UPDATE audit_log SET action = 'x'`));
  await assert.rejects(async () => await store.db.execute(sql`TRUNCATE audit_log`));
  const sweep = async (days: number, retentionDays: number): Promise<number> => {
    const clock = (): Date => new Date(START + days * 24 * HOUR_MS);
    const logger = { debug() {}, info() {}, warn() {}, error() {} };
    const sweeper = createAuditSweeper({ db: store.db, logger, clock, retentionDays });
    const removed = await sweeper.sweep();
    await sweeper.close();
    return removed;
  };
  const { total } = await listAudit(store.db, page, {});
  assert.equal(await sweep(500, 0), 0);
  assert.equal(await sweep(9, 10), 0);
  assert.ok(total > 200);
  assert.equal(await sweep(11, 10), total);
  assert.equal((await listAudit(store.db, page, {})).total, 0);
  await assert.rejects(async () => await store.db.execute(sql`DELETE FROM audit_log`), 'the permission has ended');
});
