import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { after, before, beforeEach, test } from 'node:test';
import type { WebhookDeliveryGet, WebhookGet } from '@gptj-cloud/protocol';
import { DEFAULT_PROJECT_ID } from '../identity/users/first-user.ts';
import type { Store } from '../store/db.ts';
import { createLogger } from '../telemetry/logger.ts';
import { storeRun } from '../testing/store-run.ts';
import { openTestStore } from '../testing/test-store.ts';
import { TEST_WEBHOOK_LIMITS, TEST_WEBHOOK_PORTS } from '../testing/webhook-limits.ts';
import { claimDeliveries, enqueueDeliveries } from './delivery-store.ts';
import { forgetReceiver } from './receiver-store.ts';
import { sendWebhook } from './send-webhook.ts';
import { receiverHost } from './webhook.ts';
import { WebhookDispatcher } from './webhook-dispatcher.ts';
import { createWebhookService, type WebhookService } from './webhook-service.ts';

const CALLER = { userId: null, apiKeyId: null, address: '', requestId: 'req-1' };
const START = Date.UTC(2026, 0, 2, 3, 4, 5);
/** Seconds from a failed attempt to the next, as docs/api.md has them. */
const PAUSES_S = [10, 60, 300, 1800, 7200, 21_600];

let store: Store;
let receiver: Server;
let url: string;
/** Of the receiver's replies. */
let status: number;
/** Ids of the messages that arrived. */
let got: string[];
let nowMs: number;
let dispatcher: WebhookDispatcher;
let service: WebhookService;
let hook: WebhookGet;

before(async () => {
  store = await openTestStore();
  receiver = createServer((request, response) => {
    got.push(String(request.headers['webhook-id']));
    request.resume().on('end', () => response.writeHead(status).end());
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const address = receiver.address();
  url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/hook`;
  const clock = (): Date => new Date(nowMs);
  const deps = { ...TEST_WEBHOOK_PORTS, db: store.db, clock, allowPrivate: true };
  dispatcher = new WebhookDispatcher({
    ...deps,
    logger: createLogger(() => {}, clock),
    describeRun: async (_, id) => ({ id }),
    send: sendWebhook,
    // The tests call `wake`.
    pollMs: 3_600_000,
  });
  service = createWebhookService({ ...deps, onDue: () => dispatcher.wake() });
});
after(async () => {
  await dispatcher.close();
  receiver.closeAllConnections();
  receiver.close();
  await store.close();
});
beforeEach(async () => {
  got = [];
  nowMs = START;
  if (hook !== undefined) await service.remove(DEFAULT_PROJECT_ID, hook.id, CALLER);
  // The failures of another test are no failures of this receiver.
  await forgetReceiver(store.db, { projectId: DEFAULT_PROJECT_ID, host: receiverHost(url) });
  hook = await service.create(DEFAULT_PROJECT_ID, { url }, CALLER);
  const runId = await storeRun(store.db, new Date(START));
  const end = { runId: runId ?? assert.fail(), projectId: DEFAULT_PROJECT_ID, endedAt: new Date(START) };
  await store.db.transaction((tx) =>
    enqueueDeliveries(tx, [{ ...end, event: 'run.completed' }], TEST_WEBHOOK_LIMITS.maxPending),
  );
});

async function deliveries(): Promise<readonly WebhookDeliveryGet[]> {
  const page = { skip: 0, limit: 10, orderBy: { field: 'created_at', direction: 'asc' } } as const;
  return (await service.deliveries(DEFAULT_PROJECT_ID, hook.id, page)).data;
}

const delivery = async (): Promise<WebhookDeliveryGet> => (await deliveries())[0] ?? assert.fail('expected a delivery');

/** The URL of a port that nothing listens on. */
async function closedPortUrl(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/`;
}

/** Send the deliveries that are due at a moment. */
async function dispatchAt(ms: number): Promise<void> {
  nowMs = ms;
  dispatcher.wake();
  await dispatcher.idle();
}

/** Let every attempt fail; the moment of the last. */
async function exhaust(): Promise<number> {
  status = 503;
  await dispatchAt(START);
  for (const pauseS of PAUSES_S) await dispatchAt(nowMs + pauseS * 1000);
  return nowMs;
}

test('a refused message is retried with increasing delays and then fails', async () => {
  status = 503;
  let dueMs = START;
  for (const [failed, pauseS] of [...PAUSES_S, null].entries()) {
    await dispatchAt(dueMs - 1);
    assert.equal(got.length, failed, 'before it is due');
    await dispatchAt(dueMs);
    assert.equal(got.length, failed + 1, 'when it is due');
    const { state, attempts, due_at, ended_at, response_status, failure } = await delivery();
    assert.deepEqual([attempts, response_status], [failed + 1, 503]);
    assert.match(failure ?? '', /expected a status of 2xx, got 503/);
    if (pauseS === null) {
      assert.deepEqual([state, ended_at], ['failed', dueMs / 1000]);
    } else {
      assert.deepEqual([state, due_at, ended_at], ['pending', dueMs / 1000 + pauseS, null]);
      dueMs += pauseS * 1000;
    }
  }
  await dispatchAt(dueMs + 365 * 86_400_000);
  assert.equal(got.length, PAUSES_S.length + 1, 'a failed delivery stays failed');
  assert.equal(new Set(got).size, 1, 'every attempt has the id of the same message');
});

test('a failed delivery can be replayed, as a new message', async () => {
  const endMs = await exhaust();
  status = 204;
  const { id } = await delivery();
  const replay = await service.replay(DEFAULT_PROJECT_ID, hook.id, id);
  await dispatcher.idle();
  assert.equal(got.at(-1), replay.id);
  assert.notEqual(replay.id, id);
  const [first, second] = (await deliveries()).toSorted((a, b) => b.attempts - a.attempts);
  assert.deepEqual([first?.state, first?.attempts], ['failed', PAUSES_S.length + 1]);
  assert.deepEqual(
    [second?.id, second?.state, second?.attempts, second?.response_status, second?.failure, second?.ended_at],
    [replay.id, 'delivered', 1, 204, null, endMs / 1000],
  );
  await dispatchAt(endMs + 86_400_000);
  assert.equal(got.length, PAUSES_S.length + 2);
});

test('a message that a later attempt delivers is not sent again', async () => {
  status = 500;
  await dispatchAt(START);
  status = 200;
  await dispatchAt(START + 10_000);
  const { state, attempts, response_status, failure } = await delivery();
  assert.deepEqual([state, attempts, response_status, failure], ['delivered', 2, 200, null]);
  await dispatchAt(START + 86_400_000);
  assert.equal(got.length, 2);
});

test('an unreachable receiver counts as a failed attempt, and the delivery records the cause', async () => {
  await service.update(DEFAULT_PROJECT_ID, hook.id, { url: await closedPortUrl() }, CALLER);
  await dispatchAt(START);
  const { state, attempts, due_at, response_status, failure } = await delivery();
  assert.deepEqual([state, attempts, due_at, response_status], ['pending', 1, START / 1000 + 10, null]);
  assert.equal(failure, 'the connection failed: ECONNREFUSED');
});

test('an attempt whose server ended before recording it counts, and is repeated when its lease has expired', async () => {
  const claim = { counts: new Map([[hook.id, 8]]), now: new Date(START), leaseUntil: new Date(START + 60_000) };
  assert.equal((await claimDeliveries(store.db, claim)).length, 1);
  status = 204;
  await dispatchAt(START + 59_999);
  assert.equal(got.length, 0);
  await dispatchAt(START + 60_000);
  const { state, attempts } = await delivery();
  assert.deepEqual([state, attempts, got.length], ['delivered', 2, 1]);
});
