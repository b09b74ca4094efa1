import { createHmac, randomBytes } from 'node:crypto';
import {
  toTimestamp,
  type WebhookDeliveryEvent,
  type WebhookDeliveryGet,
  type WebhookEvent,
  type WebhookGet,
  webhookEventSchema,
} from '@gptj-cloud/protocol';

/** A URL of a project that its run ends are sent to. */
export interface Webhook {
  readonly id: string;
  readonly projectId: string;
  readonly url: string;
  /** Host and port of the URL. */
  readonly host: string;
  /** `whsec_` and base64 of the signing key. */
  readonly secret: string;
  /** The secret before the last rotation; it signs as well until `previousSecretUntil`. */
  readonly previousSecret: string | null;
  readonly previousSecretUntil: Date | null;
  readonly events: readonly WebhookEvent[];
  readonly isEnabled: boolean;
  /** Failed attempts since the last message that was delivered. */
  readonly failedAttempts: number;
  /** The first of them; null when there are none. */
  readonly failingSince: Date | null;
  /** When and why the server disabled it; null when it did not. */
  readonly disabledAt: Date | null;
  readonly disabledReason: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** The end of a run, for webhooks. */
export interface RunEndEvent {
  readonly runId: string;
  readonly projectId: string;
  readonly event: WebhookEvent;
  readonly endedAt: Date;
}

/** One event for one webhook. pending → delivered | failed. */
export interface WebhookDelivery {
  readonly id: string;
  readonly webhookId: string;
  /** Null: a test. */
  readonly runId: string | null;
  readonly event: WebhookDeliveryEvent;
  readonly state: 'pending' | 'delivered' | 'failed';
  readonly attempts: number;
  readonly createdAt: Date;
  readonly dueAt: Date;
  readonly endedAt: Date | null;
  readonly responseStatus: number | null;
  readonly failure: string | null;
}

/** Columns of a webhook that has not failed. */
export const NOT_FAILING = { failedAttempts: 0, failingSince: null, disabledAt: null, disabledReason: null } as const;

/** Host and port, in one spelling. */
export function receiverHost(url: string): string {
  const { hostname, port } = new URL(url);
  const name = hostname.endsWith('.') ? hostname.slice(0, -1) : hostname;
  return port === '' ? name : `${name}:${port}`;
}

const SECRET_PREFIX = 'whsec_';

export function newWebhookSecret(): string {
  return SECRET_PREFIX + randomBytes(24).toString('base64');
}

/** The secrets that sign a message at a time: the present one first. */
export function signingSecrets(
  { secret, previousSecret, previousSecretUntil }: Webhook,
  at: Date,
): readonly [string, ...string[]] {
  const isValid = previousSecret !== null && previousSecretUntil !== null && at < previousSecretUntil;
  return isValid ? [secret, previousSecret] : [secret];
}

/**
 * Headers by which the receiver verifies the sender and the time of `body` (standardwebhooks.com): each signature is over
 * `id.timestamp.body`, so that none of the three can be exchanged. A receiver accepts a message when one signature fits.
 */
export function signedHeaders(
  secrets: readonly [string, ...string[]],
  message: { readonly id: string; readonly sentAt: Date; readonly body: string },
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(message.sentAt.getTime() / 1000));
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64');
    return `v1,${createHmac('sha256', key).update(`${message.id}.${timestamp}.${message.body}`).digest('base64')}`;
  });
  return {
    'webhook-id': message.id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}

/** Events as they are stored, separated by blanks. Names that this version does not know are dropped. */
export function parseEvents(text: string): readonly WebhookEvent[] {
  return text.split(' ').flatMap((name) => {
    const parsed = webhookEventSchema.safeParse(name);
    return parsed.success ? [parsed.data] : [];
  });
}

/** The reply for a webhook; includes its secret only on creation. */
export function toWebhookGet(webhook: Webhook, secret: 'with secret' | 'without secret'): WebhookGet {
  return {
    id: webhook.id,
    url: webhook.url,
    events: [...webhook.events],
    is_enabled: webhook.isEnabled,
    failed_attempts: webhook.failedAttempts,
    failing_since: webhook.failingSince === null ? null : toTimestamp(webhook.failingSince),
    disabled_at: webhook.disabledAt === null ? null : toTimestamp(webhook.disabledAt),
    disabled_reason: webhook.disabledReason,
    previous_secret_until: webhook.previousSecretUntil === null ? null : toTimestamp(webhook.previousSecretUntil),
    created_at: toTimestamp(webhook.createdAt),
    updated_at: toTimestamp(webhook.updatedAt),
    ...(secret === 'with secret' ? { secret: webhook.secret } : {}),
  };
}

export function toWebhookDeliveryGet(delivery: WebhookDelivery): WebhookDeliveryGet {
  return {
    id: delivery.id,
    webhook_id: delivery.webhookId,
    run_id: delivery.runId,
    event: delivery.event,
    state: delivery.state,
    attempts: delivery.attempts,
    created_at: toTimestamp(delivery.createdAt),
    due_at: toTimestamp(delivery.dueAt),
    ended_at: delivery.endedAt === null ? null : toTimestamp(delivery.endedAt),
    response_status: delivery.responseStatus,
    failure: delivery.failure,
  };
}
