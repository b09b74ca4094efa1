/** Real receivers on loopback: what a bad one costs the others. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DEFAULT_PROJECT_ID } from '../identity/users/first-user.ts';
import type { Store } from '../store/db.ts';
import { openTestStore } from '../testing/test-store.ts';
import { until } from '../testing/until.ts';
import { openReceiver, openWebhookHarness, removeWebhooks, type TestReceiver } from '../testing/webhook-harness.ts';
import { countOpenBreakers } from './receiver-store.ts';

const VICTIM = DEFAULT_PROJECT_ID;
/** Attempts at a silent receiver do not end while a test runs. */
const PATIENT = { timeoutMs: 3_600_000 };

let store: Store;
const receivers: TestReceiver[] = [];
before(async () => {
  store = await openTestStore();
});
after(async () => {
  for (const receiver of receivers) receiver.close();
  await store.close();
});

async function receive(status: number | null): Promise<TestReceiver> {
  const receiver = await openReceiver(status);
  receivers.push(receiver);
  return receiver;
}

test('20 webhooks and 100 replays to a receiver that never replies do not delay another project', async () => {
  const it = openWebhookHarness(store, { ...PATIENT, replaysPerHour: 1000 });
  const hostile = await it.newProject();
  try {
    const silent = await receive(null);
    const good = await receive(204);
    const hooks = [];
    for (let i = 0; i < 20; i++) hooks.push(await it.create(hostile, silent.url));
    const victim = await it.create(VICTIM, good.url);
    await it.endRuns(hostile, 6);
    const first = hooks[0] ?? assert.fail();
    const replayed = (await it.deliveries(hostile, first.id))[0] ?? assert.fail();
    for (let i = 0; i < 100; i++) await it.service.replay(hostile, first.id, replayed.id);
    it.dispatcher.wake();
    await until(() => silent.hanging.size > 0);
    await it.endRuns(VICTIM, 3);
    it.dispatcher.wake();
    await until(() => good.got.length === 3);
    assert.equal(silent.got.length, 1, 'one attempt at a time');
    await until(async () => (await it.deliveries(VICTIM, victim.id)).every(({ state }) => state === 'delivered'));
  } finally {
    await it.dispatcher.close();
    await removeWebhooks(it.service);
    await removeWebhooks(it.service, hostile);
  }
});

test('a receiver that replied before it stopped holds the share of its project and no more', async () => {
  const it = openWebhookHarness(store, PATIENT);
  const hostile = await it.newProject();
  try {
    const turning = await receive(204);
    const good = await receive(204);
    for (let i = 0; i < 20; i++) await it.create(hostile, turning.url);
    await it.create(VICTIM, good.url);
    await it.endRuns(hostile, 1);
    await it.dispatchAt(it.nowMs);
    assert.equal(turning.got.length, 20);
    turning.status = null;
    await it.endRuns(hostile, 10);
    it.dispatcher.wake();
    await until(() => turning.hanging.size === 4);
    await it.endRuns(VICTIM, 5);
    it.dispatcher.wake();
    await until(() => good.got.length === 5);
    assert.equal(turning.got.length, 24);
  } finally {
    await it.dispatcher.close();
    await removeWebhooks(it.service);
    await removeWebhooks(it.service, hostile);
  }
});

test('after three failures a receiver gets nothing but one probe a pause, also from the next start', async () => {
  let it = openWebhookHarness(store);
  const startMs = it.nowMs;
  try {
    const failing = await receive(503);
    for (let i = 0; i < 20; i++) await it.create(VICTIM, failing.url);
    await it.endRuns(VICTIM, 2);
    await it.dispatchAt(startMs);
    assert.equal(failing.got.length, 3);
    assert.equal(await countOpenBreakers(store.db, new Date(startMs)), 1);
    await it.dispatchAt(startMs + 29_999);
    assert.equal(failing.got.length, 3);
    await it.dispatcher.close();
    it = openWebhookHarness(store);
    await it.dispatchAt(startMs + 29_999);
    assert.equal(failing.got.length, 3, 'the breaker is in the store');
    await it.dispatchAt(startMs + 30_000);
    assert.equal(failing.got.length, 4, 'one probe');
    await it.dispatchAt(startMs + 89_999);
    assert.equal(failing.got.length, 4, 'the pause has doubled');
    failing.status = 204;
    await it.dispatchAt(startMs + 90_000);
    assert.equal(await countOpenBreakers(store.db, new Date(it.nowMs)), 0);
    assert.equal(failing.got.length, 44, 'a reply closes the breaker: everything that is due is sent');
    assert.equal(new Set(failing.got).size, 40);
  } finally {
    await it.dispatcher.close();
    await removeWebhooks(it.service);
  }
});

test('a breaker belongs to one project: another one on the same host is not held up', async () => {
  const it = openWebhookHarness(store);
  const hostile = await it.newProject();
  try {
    const shared = await receive(500);
    for (let i = 0; i < 5; i++) await it.create(hostile, shared.url);
    await it.endRuns(hostile, 1);
    await it.dispatchAt(it.nowMs);
    assert.equal(shared.got.length, 3);
    shared.status = 204;
    await it.create(VICTIM, shared.url);
    await it.endRuns(VICTIM, 2);
    await it.dispatchAt(it.nowMs);
    assert.equal(shared.got.length, 5);
  } finally {
    await it.dispatcher.close();
    await removeWebhooks(it.service);
    await removeWebhooks(it.service, hostile);
  }
});

test('a wrong path on a receiver that works opens no breaker', async () => {
  const it = openWebhookHarness(store);
  try {
    const receiver = await receive(404);
    await it.create(VICTIM, receiver.url);
    await it.endRuns(VICTIM, 10);
    await it.dispatchAt(it.nowMs);
    assert.equal(receiver.got.length, 10);
  } finally {
    await it.dispatcher.close();
    await removeWebhooks(it.service);
  }
});
