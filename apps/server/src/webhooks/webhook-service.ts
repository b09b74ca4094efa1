import {
  ApiError,
  type AuditAction,
  newId,
  type PageQuery,
  type Paginated,
  WEBHOOK_EVENTS,
  type WebhookCreate,
  type WebhookDeliveryGet,
  type WebhookGet,
  type WebhookPatch,
} from '@gptj-cloud/protocol';
import { type Caller, recordAudit } from '../audit/audit-log.ts';
import type { Database } from '../store/db.ts';
import { toPaginated } from '../store/page.ts';
import { countPending, failPending, findDelivery, insertDelivery, listDeliveries } from './delivery-store.ts';
import { forgetReceiver, halfOpenBreaker } from './receiver-store.ts';
import { countProjectReplay, countWebhookReplay, type ReplayCount } from './replay-store.ts';
import { checkWebhookUrl } from './send-webhook.ts';
import {
  NOT_FAILING,
  newWebhookSecret,
  receiverHost,
  toWebhookDeliveryGet,
  toWebhookGet,
  type Webhook,
  type WebhookDelivery,
} from './webhook.ts';
import type { WebhookLimits } from './webhook-limits.ts';
import {
  deleteWebhook,
  findWebhook,
  insertWebhook,
  listWebhooks,
  lockWebhook,
  updateSecrets,
  updateWebhook,
} from './webhook-store.ts';

export interface WebhookServiceDeps {
  readonly db: Database;
  readonly clock: () => Date;
  /** Allow targets in private networks and on this machine. */
  readonly allowPrivate: boolean;
  readonly limits: WebhookLimits;
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
  list(projectId: string, page: PageQuery<'created_at'>): Promise<Paginated<WebhookGet>>;
  /** Throws `webhook_target_refused`. */
  update(projectId: string, id: string, patch: WebhookPatch, caller: Caller): Promise<WebhookGet>;
  remove(projectId: string, id: string, caller: Caller): Promise<void>;
  /** All deliveries of a webhook, or those in one state and of one run. */
  deliveries(
    projectId: string,
    id: string,
    page: PageQuery<'created_at'>,
    filter?: { readonly state?: WebhookDeliveryGet['state'] | undefined; readonly runId?: string | undefined },
  ): Promise<Paginated<WebhookDeliveryGet>>;
  /** Send the event of a delivery once more, as a new delivery. Throws `too_many_replays`, `webhook_not_ready`. */
  replay(projectId: string, id: string, deliveryId: string): Promise<WebhookDeliveryGet>;
  /** Send a message that belongs to no run. It counts as a replay. Throws `too_many_replays`, `webhook_not_ready`. */
  test(projectId: string, id: string): Promise<WebhookDeliveryGet>;
  /** Make another secret. The earlier one signs as well for `overlapSeconds`. The reply has the new one. */
  rotateSecret(projectId: string, id: string, overlapSeconds: number, caller: Caller): Promise<WebhookGet>;
}

/** In one project. */
const MAX_WEBHOOKS = 20;

export function createWebhookService({ db, clock, allowPrivate, limits, onDue }: WebhookServiceDeps): WebhookService {
  const find = async (projectId: string, id: string): Promise<Webhook> =>
    present(await findWebhook(db, projectId, id), 'webhook', id);
  /** Of the URL only the host is recorded: path and query may hold a secret. */
  const record = async (tx: Database, caller: Caller, action: AuditAction, webhook: Webhook): Promise<void> => {
    const { id: subject, projectId, host, isEnabled } = webhook;
    const details = { host, enabled: isEnabled };
    await recordAudit(tx, clock(), caller, { action, subject, projectId, details });
  };
  /** Store a delivery that its owner asks for, and have it sent. */
  const sendNow = async (
    projectId: string,
    id: string,
    describe: (tx: Database) => Promise<Pick<WebhookDelivery, 'webhookId' | 'runId' | 'event'>>,
  ): Promise<WebhookDeliveryGet> => {
    const stored = await db.transaction(async (tx) => {
      // Locked: of requests at the same time none may pass a limit that another one has reached.
      const webhook = present(await lockWebhook(tx, projectId, id), 'webhook', id);
      const delivery = await describe(tx);
      if (!webhook.isEnabled) throw new ApiError('webhook_not_ready', { reason: 'it is disabled' });
      if ((await countPending(tx, id, limits.maxPending)) >= limits.maxPending) {
        throw new ApiError('webhook_not_ready', { reason: `${limits.maxPending} of its messages are waiting` });
      }
      const now = clock();
      enforce(await countWebhookReplay(tx, id, now), limits.replaysPerHour, 'webhook');
      enforce(await countProjectReplay(tx, projectId, now), limits.projectReplaysPerHour, 'project');
      // The owner may have repaired the receiver.
      await halfOpenBreaker(tx, webhook, now);
      return await insertDelivery(tx, delivery, now);
    });
    onDue();
    return toWebhookDeliveryGet(stored);
  };
  return {
    async create(projectId, request, caller) {
      checkWebhookUrl(request.url, { allowPrivate });
      const now = clock();
      const webhook: Webhook = {
        id: newId('webhook'),
        projectId,
        url: request.url,
        host: receiverHost(request.url),
        secret: newWebhookSecret(),
        previousSecret: null,
        previousSecretUntil: null,
        events: [...new Set(request.events ?? WEBHOOK_EVENTS)],
        isEnabled: true,
        ...NOT_FAILING,
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
      const found = await listWebhooks(db, projectId, page);
      return toPaginated(page, found, (webhook) => toWebhookGet(webhook, 'without secret'));
    },
    async update(projectId, id, patch, caller) {
      if (patch.url !== undefined) checkWebhookUrl(patch.url, { allowPrivate });
      return await db.transaction(async (tx) => {
        // Locked: another patch at the same time must not be undone.
        const before = present(await lockWebhook(tx, projectId, id), 'webhook', id);
        const url = patch.url ?? before.url;
        // Another address, or enabled again: what failed before does not count.
        const beginsAnew = url !== before.url || (patch.is_enabled === true && !before.isEnabled);
        const after: Webhook = {
          ...before,
          ...(beginsAnew ? NOT_FAILING : {}),
          url,
          host: receiverHost(url),
          events: patch.events === undefined ? before.events : [...new Set(patch.events)],
          isEnabled: patch.is_enabled ?? before.isEnabled,
          updatedAt: clock(),
        };
        await updateWebhook(tx, after);
        if (beginsAnew) await forgetReceiver(tx, after);
        if (!after.isEnabled) await failPending(tx, id, after.updatedAt);
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
    async deliveries(projectId, id, page, { state, runId } = {}) {
      await find(projectId, id);
      const found = await listDeliveries(db, { webhookId: id, state: state ?? null, runId: runId ?? null }, page);
      return toPaginated(page, found, toWebhookDeliveryGet);
    },
    replay: (projectId, id, deliveryId) =>
      sendNow(projectId, id, async (tx) =>
        present(await findDelivery(tx, id, deliveryId), 'webhook delivery', deliveryId),
      ),
    test: (projectId, id) =>
      sendNow(projectId, id, async () => ({ webhookId: id, runId: null, event: 'webhook.test' })),
    async rotateSecret(projectId, id, overlapSeconds, caller) {
      return await db.transaction(async (tx) => {
        const before = present(await lockWebhook(tx, projectId, id), 'webhook', id);
        const now = clock();
        const after: Webhook = {
          ...before,
          secret: newWebhookSecret(),
          previousSecret: overlapSeconds === 0 ? null : before.secret,
          previousSecretUntil: overlapSeconds === 0 ? null : new Date(now.getTime() + overlapSeconds * 1000),
          updatedAt: now,
        };
        await updateSecrets(tx, after);
        await record(tx, caller, 'webhook.rotate_secret', after);
        return toWebhookGet(after, 'with secret');
      });
    },
  };
}

/** Throws `too_many_replays` when a count is above its limit. */
function enforce({ replays, waitS }: ReplayCount, limit: number, scope: 'webhook' | 'project'): void {
  if (replays <= limit) return;
  throw new ApiError('too_many_replays', { limit, scope }, { retryAfterSeconds: Math.max(1, waitS) });
}

/** Throws `not_found` for null. */
function present<Value>(value: Value | null, kind: string, id: string): Value {
  if (value === null) throw new ApiError('not_found', { kind, id: id.slice(0, 100) });
  return value;
}
