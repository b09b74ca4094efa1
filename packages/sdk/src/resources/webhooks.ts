/** Webhooks of a project, and the deliveries of their messages. */
import type { Endpoint } from '../connection.ts';
import { read, remove, send } from '../exchange.ts';
import { booleanAt, dateAt, listOf, nullable, numberAt, oneOf, pageOf, record, stringAt } from '../fields.ts';
import { type CallOptions, type ConfirmedOptions, type ListOptions, pageQuery } from '../options.ts';
import { type PagePromise, pagesOf } from '../pages.ts';
import type { WebhookDeliveryEvent, WebhookEvent } from '../reply-types.ts';
import { type RunReference, runIdOf } from '../run-data.ts';

export interface Webhook {
  readonly id: string;
  readonly url: string;
  readonly events: readonly WebhookEvent[];
  readonly isEnabled: boolean;
  /** Failed attempts since the last message that was delivered, and the time of the first of them. */
  readonly failedAttempts: number;
  readonly failingSince: Date | null;
  /** When and why the server disabled it after a long failure. */
  readonly disabledAt: Date | null;
  readonly disabledReason: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Until when the secret before the last rotation signs messages as well. */
  readonly previousSecretUntil: Date | null;
  /** Key of the signatures, in the replies of `create` and `rotateSecret` only. */
  readonly secret: string | null;
}

export interface WebhookChange {
  readonly url?: string;
  readonly events?: readonly WebhookEvent[];
  readonly isEnabled?: boolean;
}

/** Delivery of one event to one webhook. */
export interface WebhookDelivery {
  readonly id: string;
  readonly webhookId: string;
  /** Null: a test. */
  readonly runId: string | null;
  readonly event: WebhookDeliveryEvent;
  readonly state: 'pending' | 'delivered' | 'failed';
  readonly attempts: number;
  readonly createdAt: Date;
  /** Time of the next attempt; of an ended delivery, of the last one. */
  readonly dueAt: Date;
  readonly endedAt: Date | null;
  /** HTTP status of the last attempt that got a reply. */
  readonly responseStatus: number | null;
  readonly failure: string | null;
}

export interface Webhooks {
  /** Never retried. `events`: all by default. */
  create(
    webhook: { readonly url: string; readonly events?: readonly WebhookEvent[] },
    options?: ConfirmedOptions,
  ): Promise<Webhook>;
  list(options?: ListOptions): PagePromise<Webhook>;
  get(id: string, options?: CallOptions): Promise<Webhook>;
  change(id: string, change: WebhookChange, options?: ConfirmedOptions): Promise<Webhook>;
  delete(id: string, options?: CallOptions): Promise<void>;
  /** The log of its messages, or those in one state and of one run. */
  deliveries(
    id: string,
    options?: ListOptions & {
      readonly state?: WebhookDelivery['state'] | undefined;
      readonly runId?: RunReference | undefined;
    },
  ): PagePromise<WebhookDelivery>;
  /** Send a delivery again, as a new one. */
  replay(id: string, deliveryId: string, options?: CallOptions): Promise<WebhookDelivery>;
  /** Send a message that belongs to no run, once. */
  test(id: string, options?: CallOptions): Promise<WebhookDelivery>;
  /** Make another secret; for `overlapSeconds`, a day by default, messages have the signatures of both. */
  rotateSecret(id: string, options?: ConfirmedOptions & { readonly overlapSeconds?: number }): Promise<Webhook>;
}

const parseEvent = oneOf('run.completed', 'run.failed');

const parseWebhook = record<Webhook>({
  id: stringAt,
  url: stringAt,
  events: listOf(parseEvent),
  isEnabled: booleanAt,
  failedAttempts: numberAt,
  failingSince: nullable(dateAt),
  disabledAt: nullable(dateAt),
  disabledReason: nullable(stringAt),
  createdAt: dateAt,
  updatedAt: dateAt,
  previousSecretUntil: nullable(dateAt),
  secret: nullable(stringAt),
});

const parseDelivery = record<WebhookDelivery>({
  id: stringAt,
  webhookId: stringAt,
  runId: nullable(stringAt),
  event: oneOf('run.completed', 'run.failed', 'webhook.test'),
  state: oneOf('pending', 'delivered', 'failed'),
  attempts: numberAt,
  createdAt: dateAt,
  dueAt: dateAt,
  endedAt: nullable(dateAt),
  responseStatus: nullable(numberAt),
  failure: nullable(stringAt),
});

export function createWebhooks(endpoint: Endpoint): Webhooks {
  const root = '/v2/webhooks';
  const at = (id: string): string => `${root}/${encodeURIComponent(id)}`;
  return {
    create: async ({ url, events }, options) =>
      await send(endpoint, { path: root, body: { url, events } }, parseWebhook, options),
    list: (options = {}) =>
      pagesOf(
        options,
        async (page) =>
          await read(endpoint, `${root}?${pageQuery(page)}`, (reply) => pageOf(reply, parseWebhook), page),
      ),
    get: async (id, options) => await read(endpoint, at(id), parseWebhook, options),
    change: async (id, { url, events, isEnabled }, options) => {
      const body = { url, events, is_enabled: isEnabled };
      return await send(endpoint, { method: 'PATCH', path: at(id), body }, parseWebhook, options);
    },
    delete: async (id, options) => await remove(endpoint, at(id), options),
    deliveries: (id, options = {}) =>
      pagesOf(options, async (page) => {
        const query = pageQuery(page);
        if (page.state !== undefined) query.set('state', page.state);
        if (page.runId !== undefined) query.set('run_id', runIdOf(page.runId));
        return await read(endpoint, `${at(id)}/deliveries?${query}`, (reply) => pageOf(reply, parseDelivery), page);
      }),
    replay: async (id, deliveryId, options) => {
      const path = `${at(id)}/deliveries/${encodeURIComponent(deliveryId)}/replay`;
      return await send(endpoint, { path }, parseDelivery, options);
    },
    test: async (id, options) => await send(endpoint, { path: `${at(id)}/test` }, parseDelivery, options),
    rotateSecret: async (id, { overlapSeconds, ...options } = {}) =>
      await send(
        endpoint,
        { path: `${at(id)}/rotate-secret`, body: { overlap_seconds: overlapSeconds } },
        parseWebhook,
        options,
      ),
  };
}
