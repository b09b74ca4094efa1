import {
  ApiError,
  newId,
  type Paginated,
  WEBHOOK_EVENTS,
  type WebhookCreate,
  type WebhookDeliveryGet,
  type WebhookGet,
  type WebhookPatch,
} from '@gptj-cloud/protocol';
import { type AuditAction, type Caller, recordAudit } from '../audit/audit-log.ts';
import type { Database } from '../store/db.ts';
import { checkWebhookUrl } from './send-webhook.ts';
import { newWebhookSecret, toWebhookDeliveryGet, toWebhookGet, type Webhook } from './webhook.ts';
import {
  deleteWebhook,
  findDelivery,
  findWebhook,
  insertReplay,
  insertWebhook,
  listDeliveries,
  listWebhooks,
  lockWebhook,
  type Page,
  updateWebhook,
} from './webhook-store.ts';

export interface WebhookServiceDeps {
  readonly db: Database;
  readonly clock: () => Date;
  /** Allow targets in private networks and on this machine. */
  readonly allowPrivate: boolean;
  /** A delivery was stored that is due at once. */
  readonly onDue: () => void;
}

/**
 * The webhooks of projects; those of other projects count as absent. Throws `not_found`. Each change is recorded in the
 * audit log, because a webhook sends results to another server.
 */
export interface WebhookService {
  /** Throws `webhook_target_refused`, `too_many_webhooks`. */
  create(projectId: string, request: WebhookCreate, caller: Caller): Promise<WebhookGet>;
  get(projectId: string, id: string): Promise<WebhookGet>;
  list(projectId: string, page: Page): Promise<Paginated<WebhookGet>>;
  /** Throws `webhook_target_refused`. */
  update(projectId: string, id: string, patch: WebhookPatch, caller: Caller): Promise<WebhookGet>;
  remove(projectId: string, id: string, caller: Caller): Promise<void>;
  deliveries(projectId: string, id: string, page: Page): Promise<Paginated<WebhookDeliveryGet>>;
  /** Send the event of a delivery once more, as a new delivery. */
  replay(projectId: string, id: string, deliveryId: string): Promise<WebhookDeliveryGet>;
}

/** In one project. */
const MAX_WEBHOOKS = 20;

export function createWebhookService({ db, clock, allowPrivate, onDue }: WebhookServiceDeps): WebhookService {
  const find = async (projectId: string, id: string): Promise<Webhook> =>
    present(await findWebhook(db, projectId, id), 'webhook', id);
  /** Of the URL only the host is recorded: path and query may hold a secret. */
  const record = async (tx: Database, caller: Caller, action: AuditAction, webhook: Webhook): Promise<void> => {
    const { id: subject, projectId, url, isEnabled } = webhook;
    const details = { host: new URL(url).host, enabled: isEnabled };
    await recordAudit(tx, clock(), caller, { action, subject, projectId, details });
  };
  return {
    async create(projectId, request, caller) {
      checkWebhookUrl(request.url, { allowPrivate });
      const now = clock();
      const webhook: Webhook = {
        id: newId('webhook'),
        projectId,
        url: request.url,
        secret: newWebhookSecret(),
        events: [...new Set(request.events ?? WEBHOOK_EVENTS)],
        isEnabled: true,
        createdAt: now,
        updatedAt: now,
      };
      await db.transaction(async (tx) => {
        if (!(await insertWebhook(tx, webhook, MAX_WEBHOOKS))) {
          throw new ApiError('too_many_webhooks', { limit: MAX_WEBHOOKS });
        }
        await record(tx, caller, 'webhook.create', webhook);
      });
      return toWebhookGet(webhook, 'with secret');
    },
    get: async (projectId, id) => toWebhookGet(await find(projectId, id), 'without secret'),
    async list(projectId, page) {
      const { total, webhooks } = await listWebhooks(db, projectId, page);
      const data = webhooks.map((webhook) => toWebhookGet(webhook, 'without secret'));
      return { skip: page.skip, limit: page.limit, total, data };
    },
    async update(projectId, id, patch, caller) {
      if (patch.url !== undefined) checkWebhookUrl(patch.url, { allowPrivate });
      return await db.transaction(async (tx) => {
        // Locked: another patch at the same time must not be undone.
        const before = present(await lockWebhook(tx, projectId, id), 'webhook', id);
        const after: Webhook = {
          ...before,
          url: patch.url ?? before.url,
          events: patch.events === undefined ? before.events : [...new Set(patch.events)],
          isEnabled: patch.is_enabled ?? before.isEnabled,
          updatedAt: clock(),
        };
        await updateWebhook(tx, after);
        await record(tx, caller, 'webhook.update', after);
        return toWebhookGet(after, 'without secret');
      });
    },
    async remove(projectId, id, caller) {
      await db.transaction(async (tx) => {
        const webhook = present(await deleteWebhook(tx, projectId, id), 'webhook', id);
        await record(tx, caller, 'webhook.delete', webhook);
      });
    },
    async deliveries(projectId, id, page) {
      await find(projectId, id);
      const { total, deliveries } = await listDeliveries(db, id, page);
      return { skip: page.skip, limit: page.limit, total, data: deliveries.map(toWebhookDeliveryGet) };
    },
    async replay(projectId, id, deliveryId) {
      await find(projectId, id);
      const delivery = present(await findDelivery(db, id, deliveryId), 'webhook delivery', deliveryId);
      const replay = await insertReplay(db, delivery, clock());
      onDue();
      return toWebhookDeliveryGet(replay);
    },
  };
}

/** Throws `not_found` for null. */
function present<Value>(value: Value | null, kind: string, id: string): Value {
  if (value === null) throw new ApiError('not_found', { kind, id: id.slice(0, 100) });
  return value;
}
