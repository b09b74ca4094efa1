/** Calls that meet at the same moment: wake-ups, the limit of webhooks, and changes of one webhook. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '@gptj-cloud/protocol';
import { DEFAULT_PROJECT_ID } from '../identity/users/first-user.ts';
import type { Store } from '../store/db.ts';
import { createLogger } from '../telemetry/logger.ts';
import { afterStatements } from '../testing/after-queries.ts';
import { storeRun } from '../testing/store-run.ts';
import { describeOnEveryStore } from '../testing/test-store.ts';
import { TEST_WEBHOOK_LIMITS, TEST_WEBHOOK_PORTS } from '../testing/webhook-limits.ts';
import { enqueueDeliveries } from './delivery-store.ts';
import type { SendWebhook, WebhookMessage } from './send-webhook.ts';
import { WebhookDispatcher } from './webhook-dispatcher.ts';
import { createWebhookService, type WebhookService } from './webhook-service.ts';

const PROJECT = DEFAULT_PROJECT_ID;
const CALLER = { userId: null, apiKeyId: null, address: '', requestId: 'req-1' };
const NOW = new Date('2026-01-02T03:04:05.000Z');
const URL = 'https://hooks.example/';
const clock = (): Date => NOW;
const logger = createLogger((line) => assert.fail(line), clock, { min: 'warn' });

const serviceOf = ({ db }: Store): WebhookService =>
  createWebhookService({ db, clock, allowPrivate: false, limits: TEST_WEBHOOK_LIMITS, onDue: () => {} });

async function removeAll(service: WebhookService): Promise<void> {
  const page = { skip: 0, limit: 100, orderBy: { field: 'created_at', direction: 'asc' } } as const;
  for (const { id } of (await service.list(PROJECT, page)).data) await service.remove(PROJECT, id, CALLER);
}

describeOnEveryStore('webhooks', (store) => {
  test('a delivery that is stored while the dispatcher reads the store is sent at once', async () => {
    const { db } = store();
    const service = serviceOf(store());
    await service.create(PROJECT, { url: URL }, CALLER);
    const sent: WebhookMessage[] = [];
    const send: SendWebhook = async (message) => {
      sent.push(message);
      return 204;
    };
    let isStored = false;
    const dispatcher = new WebhookDispatcher({
      ...TEST_WEBHOOK_PORTS,
      // The first look finds nothing; before it returns, another transaction commits a delivery and wakes.
      db: afterStatements(db, async () => {
        if (isStored) return;
        isStored = true;
        const runId = (await storeRun(db, NOW)) ?? assert.fail();
        await enqueueDeliveries(db, [{ runId, projectId: PROJECT, event: 'run.completed', endedAt: NOW }], 1);
        dispatcher.wake();
      }),
      logger,
      clock,
      describeRun: async (_, id) => ({ id }),
      allowPrivate: false,
      send,
      // No poll comes to help.
      pollMs: 3_600_000,
    });
    try {
      dispatcher.wake();
      await dispatcher.idle();
      assert.equal(sent.length, 1);
      assert.equal(dispatcher.close(), dispatcher.close());
    } finally {
      await dispatcher.close();
      await removeAll(service);
    }
  });

  test('of 30 webhooks created in parallel a project gets 20', async () => {
    const service = serviceOf(store());
    try {
      const replies = await Promise.allSettled(
        Array.from({ length: 30 }, () => service.create(PROJECT, { url: URL }, CALLER)),
      );
      assert.equal(replies.filter(({ status }) => status === 'fulfilled').length, 20);
      for (const reply of replies) {
        if (reply.status === 'fulfilled') continue;
        assert.ok(reply.reason instanceof ApiError && reply.reason.code === 'too_many_webhooks', String(reply.reason));
      }
    } finally {
      await removeAll(service);
    }
  });

  test('patches of different fields in parallel both take effect', async () => {
    const service = serviceOf(store());
    try {
      for (let i = 0; i < 5; i++) {
        const { id } = await service.create(PROJECT, { url: URL }, CALLER);
        await Promise.all([
          service.update(PROJECT, id, { is_enabled: false }, CALLER),
          service.update(PROJECT, id, { events: ['run.failed'] }, CALLER),
        ]);
        const { is_enabled, events } = await service.get(PROJECT, id);
        assert.deepEqual([is_enabled, events], [false, ['run.failed']]);
      }
    } finally {
      await removeAll(service);
    }
  });
});
