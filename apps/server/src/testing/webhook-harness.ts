import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { WebhookDeliveryGet, WebhookGet } from '@gptj-cloud/protocol';
import { DEFAULT_PROJECT_ID, FIRST_USER_ID } from '../identity/users/first-user.ts';
import { insertProject } from '../identity/users/user-store.ts';
import type { Store } from '../store/db.ts';
import { createLogger } from '../telemetry/logger.ts';
import { enqueueDeliveries } from '../webhooks/delivery-store.ts';
import type { DisabledWebhook } from '../webhooks/record-outcome.ts';
import { sendWebhook } from '../webhooks/send-webhook.ts';
import type { RunEndEvent } from '../webhooks/webhook.ts';
import { WebhookDispatcher, type WebhookDispatcherDeps } from '../webhooks/webhook-dispatcher.ts';
import type { WebhookLimits } from '../webhooks/webhook-limits.ts';
import { createWebhookService, type WebhookService } from '../webhooks/webhook-service.ts';
import { storeRun } from './store-run.ts';
import { TEST_WEBHOOK_LIMITS, TEST_WEBHOOK_PORTS } from './webhook-limits.ts';

export const WEBHOOK_CALLER = { userId: null, apiKeyId: null, address: '', requestId: 'req-1' };
const PAGE = { skip: 0, limit: 100, orderBy: { field: 'created_at', direction: 'asc' } } as const;

/** A server that messages are sent to. */
export interface TestReceiver {
  readonly url: string;
  /** Status of the replies; null: it never replies. */
  status: number | null;
  /** Ids of the messages that arrived. */
  readonly got: string[];
  /** Messages without a reply. */
  readonly hanging: Set<ServerResponse>;
  close(): void;
}

export async function openReceiver(status: number | null): Promise<TestReceiver> {
  const hanging = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      receiver.got.push(String(request.headers['webhook-id']));
      if (receiver.status !== null) response.writeHead(receiver.status).end();
      else hanging.add(response.on('close', () => hanging.delete(response)));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const receiver: TestReceiver = {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/hook`,
    status,
    got: [],
    hanging,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
  return receiver;
}

/** Webhooks on a store, with a clock that the test sets. */
export interface WebhookHarness {
  nowMs: number;
  readonly service: WebhookService;
  readonly dispatcher: WebhookDispatcher;
  readonly disabled: DisabledWebhook[];
  newProject(): Promise<string>;
  create(projectId: string, url: string): Promise<WebhookGet>;
  /** End `count` runs: each webhook of the project gets a message for each. */
  endRuns(projectId: string, count: number): Promise<void>;
  /** Send the due messages at a moment. */
  dispatchAt(ms: number): Promise<void>;
  deliveries(projectId: string, webhookId: string): Promise<readonly WebhookDeliveryGet[]>;
}

export function openWebhookHarness(
  store: Store,
  limits: Partial<WebhookLimits> = {},
  ports: Partial<WebhookDispatcherDeps> = {},
): WebhookHarness {
  const { db } = store;
  const clock = (): Date => new Date(harness.nowMs);
  const disabled: DisabledWebhook[] = [];
  const deps = { db, clock, allowPrivate: true, limits: { ...TEST_WEBHOOK_LIMITS, ...limits } };
  const dispatcher = new WebhookDispatcher({
    ...TEST_WEBHOOK_PORTS,
    ...deps,
    logger: createLogger(() => {}, clock),
    describeRun: async (_, id) => ({ id }),
    send: sendWebhook,
    onDisabled: async (webhook) => void disabled.push(webhook),
    // The tests call `wake` and `sweep`.
    pollMs: 3_600_000,
    ...ports,
  });
  const service = createWebhookService({ ...deps, onDue: () => dispatcher.wake() });
  const harness: WebhookHarness = {
    nowMs: Date.UTC(2026, 0, 2, 3, 4, 5),
    service,
    dispatcher,
    disabled,
    newProject: () => insertProject(db, FIRST_USER_ID, 'other', clock()),
    create: (projectId, url) => service.create(projectId, { url }, WEBHOOK_CALLER),
    async endRuns(projectId, count) {
      const ends: RunEndEvent[] = [];
      for (let i = 0; i < count; i++) {
        const runId = (await storeRun(db, clock())) ?? assert.fail();
        ends.push({ runId, projectId, event: 'run.completed', endedAt: clock() });
      }
      await db.transaction((tx) => enqueueDeliveries(tx, ends, deps.limits.maxPending));
    },
    async dispatchAt(ms) {
      harness.nowMs = ms;
      dispatcher.wake();
      await dispatcher.idle();
    },
    deliveries: async (projectId, id) => (await service.deliveries(projectId, id, PAGE)).data,
  };
  return harness;
}

export async function removeWebhooks(service: WebhookService, projectId: string = DEFAULT_PROJECT_ID): Promise<void> {
  for (const { id } of (await service.list(projectId, PAGE)).data) await service.remove(projectId, id, WEBHOOK_CALLER);
}
