/** What is counted: failures of a webhook, replays, and waiting and kept deliveries. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { ApiError } from '@gptj-cloud/protocol';
import { eq } from 'drizzle-orm';
import { auditLog } from '../audit/audit-tables.ts';
import { DEFAULT_PROJECT_ID as PROJECT } from '../identity/users/first-user.ts';
import type { Store } from '../store/db.ts';
import { openTestStore } from '../testing/test-store.ts';
import {
  openReceiver,
  openWebhookHarness,
  removeWebhooks,
  type TestReceiver,
  WEBHOOK_CALLER,
  type WebhookHarness,
} from '../testing/webhook-harness.ts';

const DAY_MS = 86_400_000;
const LIMITS = {
  disableAfterMs: 2 * DAY_MS,
  disableAfterAttempts: 5,
  maxPending: 3,
  maxKept: 10,
  replaysPerHour: 3,
  projectReplaysPerHour: 5,
};

let store: Store;
let receiver: TestReceiver;
let it: WebhookHarness;
before(async () => {
  store = await openTestStore();
  receiver = await openReceiver(204);
});
after(async () => {
  receiver.close();
  await store.close();
});
beforeEach(() => {
  receiver.got.length = 0;
  receiver.status = 204;
  it = openWebhookHarness(store, LIMITS);
});
afterEach(async () => {
  await it.dispatcher.close();
  await removeWebhooks(it.service);
});

test('a webhook that fails for days is disabled with a reason, an audit entry and a notice, and can be enabled', async () => {
  const { id } = await it.create(PROJECT, receiver.url);
  receiver.status = 404;
  const startMs = it.nowMs;
  await it.endRuns(PROJECT, 1);
  for (const s of [0, 10, 70, 370]) await it.dispatchAt(startMs + s * 1000);
  const failing = await it.service.get(PROJECT, id);
  assert.deepEqual([failing.is_enabled, failing.failed_attempts, failing.failing_since], [true, 4, startMs / 1000]);
  it.nowMs = startMs + 2 * DAY_MS - 1;
  await it.endRuns(PROJECT, 1);
  await it.dispatchAt(it.nowMs);
  assert.equal((await it.service.get(PROJECT, id)).is_enabled, true, 'attempts enough, but not long enough');
  await it.dispatchAt(startMs + 2 * DAY_MS + 10_000);
  const disabled = await it.service.get(PROJECT, id);
  assert.deepEqual([disabled.is_enabled, disabled.disabled_at], [false, it.nowMs / 1000]);
  assert.match(
    disabled.disabled_reason ?? '',
    /^\d+ attempts since 2026-01-02T03:04:05.000Z have failed; the last: .*404$/,
  );
  assert.deepEqual(
    it.disabled.map(({ webhookId, projectId }) => [webhookId, projectId]),
    [[id, PROJECT]],
  );
  const entries = await store.db.select().from(auditLog).where(eq(auditLog.subject, id));
  assert.deepEqual(
    entries.map(({ action }) => action),
    ['webhook.create', 'webhook.disable'],
  );
  assert.ok((await it.deliveries(PROJECT, id)).every(({ state }) => state === 'failed'));

  receiver.status = 204;
  receiver.got.length = 0;
  const enabled = await it.service.update(PROJECT, id, { is_enabled: true }, WEBHOOK_CALLER);
  assert.deepEqual([enabled.failed_attempts, enabled.disabled_at, enabled.disabled_reason], [0, null, null]);
  await it.endRuns(PROJECT, 1);
  await it.dispatchAt(it.nowMs);
  assert.equal(receiver.got.length, 1);
});

test('a delivered message ends the failure of a webhook', async () => {
  const { id } = await it.create(PROJECT, receiver.url);
  receiver.status = 404;
  await it.endRuns(PROJECT, 1);
  await it.dispatchAt(it.nowMs);
  receiver.status = 200;
  await it.dispatchAt(it.nowMs + 10_000);
  const { failed_attempts, failing_since } = await it.service.get(PROJECT, id);
  assert.deepEqual([failed_attempts, failing_since], [0, null]);
});

test('replays of a webhook and of a project are limited by the hour, and a new webhook does not reset them', async () => {
  const make = async (): Promise<() => Promise<unknown>> => {
    const { id } = await it.create(PROJECT, receiver.url);
    await it.endRuns(PROJECT, 1);
    await it.dispatchAt(it.nowMs);
    const [delivery] = await it.deliveries(PROJECT, id);
    return async () => {
      await it.service.replay(PROJECT, id, delivery?.id ?? '');
      await it.dispatcher.idle();
    };
  };
  const refused = (scope: string) => (error: unknown) =>
    error instanceof ApiError && error.code === 'too_many_replays' && error.message.includes(scope);
  const replay = await make();
  for (let i = 0; i < 3; i++) await replay();
  it.nowMs += 60_000;
  await assert.rejects(
    replay(),
    (error) => refused('webhook')(error) && (error as ApiError).retryAfterSeconds === 3540,
  );
  await removeWebhooks(it.service);
  const other = await make();
  for (let i = 0; i < 2; i++) await other();
  await assert.rejects(other(), refused('project'));
  it.nowMs += 3_600_000;
  await other();
});

test('of replays at the same time none passes the limit', async () => {
  it.nowMs += 10 * DAY_MS;
  const { id } = await it.create(PROJECT, receiver.url);
  await it.endRuns(PROJECT, 1);
  await it.dispatchAt(it.nowMs);
  const [delivery] = await it.deliveries(PROJECT, id);
  const replies = await Promise.allSettled(
    Array.from({ length: 10 }, () => it.service.replay(PROJECT, id, delivery?.id ?? '')),
  );
  await it.dispatcher.idle();
  assert.equal(replies.filter(({ status }) => status === 'fulfilled').length, 3);
  assert.equal(receiver.got.length, 4);
});

test('messages above the backlog are recorded as failed, and a full backlog refuses replays', async () => {
  const { id } = await it.create(PROJECT, receiver.url);
  await it.endRuns(PROJECT, 2);
  await it.endRuns(PROJECT, 3);
  const deliveries = await it.deliveries(PROJECT, id);
  assert.deepEqual(deliveries.map(({ state }) => state).sort(), ['failed', 'failed', 'pending', 'pending', 'pending']);
  const dropped = deliveries.find(({ state }) => state === 'failed') ?? assert.fail();
  assert.match(dropped.failure ?? '', /too many messages of this webhook were waiting/);
  const isFull = (error: unknown) => error instanceof ApiError && error.code === 'webhook_not_ready';
  await assert.rejects(it.service.replay(PROJECT, id, dropped.id), isFull);
  await it.dispatchAt(it.nowMs);
  assert.equal(receiver.got.length, 3);
});

test('a message that waits for a day has failed, and only the last deliveries are kept', async () => {
  const { id } = await it.create(PROJECT, receiver.url);
  receiver.status = 404;
  await it.endRuns(PROJECT, 1);
  await it.dispatchAt(it.nowMs);
  it.nowMs += DAY_MS - 1;
  await it.dispatcher.sweep();
  assert.equal((await it.deliveries(PROJECT, id))[0]?.state, 'pending');
  it.nowMs += 2;
  await it.dispatcher.sweep();
  const [expired] = await it.deliveries(PROJECT, id);
  assert.deepEqual([expired?.state, expired?.ended_at], ['failed', it.nowMs / 1000]);
  assert.match(expired?.failure ?? '', /gave up waiting; last attempt: .*404/);
  receiver.status = 204;
  for (let i = 0; i < 12; i++) {
    it.nowMs += 1000;
    await it.endRuns(PROJECT, 1);
    await it.dispatchAt(it.nowMs);
  }
  await it.dispatcher.sweep();
  const kept = await it.deliveries(PROJECT, id);
  assert.deepEqual([kept.length, kept.every(({ state }) => state === 'delivered')], [10, true]);
});
