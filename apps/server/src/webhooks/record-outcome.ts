/** What an attempt changes: the delivery, the breaker of its receiver, and how long its webhook has failed. */
import { recordAudit } from '../audit/audit-log.ts';
import type { Database } from '../store/db.ts';
import { failPending, recordAttempt } from './delivery-store.ts';
import { closeBreaker, countReceiverFailure } from './receiver-store.ts';
import type { Webhook, WebhookDelivery } from './webhook.ts';
import type { WebhookLimits } from './webhook-limits.ts';
import { clearWebhookFailures, countWebhookFailure, disableWebhook } from './webhook-store.ts';

/** `refused`: the receiver replied, with a status other than 2xx. `unavailable`: it did not, or it asks to wait. */
export type AttemptEnd = 'delivered' | 'refused' | 'unavailable';

export interface Attempt {
  readonly delivery: WebhookDelivery;
  readonly webhook: Webhook;
  /** What was known of the receiver before: whether its last attempt had a reply. */
  readonly isProven: boolean;
  readonly startedAt: Date;
}

export interface Outcome {
  readonly end: AttemptEnd;
  readonly at: Date;
  readonly responseStatus: number | null;
  /** Null for a delivered message. */
  readonly failure: string | null;
}

/** Pauses after failed attempts, about nine hours in all; after the last one the delivery has failed. */
const RETRY_PAUSES_S = [10, 60, 300, 1800, 7200, 21_600] as const;

/** A webhook that the server has just disabled. */
export interface DisabledWebhook {
  readonly webhookId: string;
  readonly projectId: string;
  readonly host: string;
  readonly reason: string;
}

export interface Recorded {
  readonly state: WebhookDelivery['state'];
  readonly disabled: DisabledWebhook | null;
}

/** Store the outcome of an attempt, in one transaction. */
export async function recordOutcome(
  db: Database,
  { delivery, webhook, isProven, startedAt }: Attempt,
  { end, at, responseStatus, failure }: Outcome,
  limits: WebhookLimits,
): Promise<Recorded> {
  // A test is not sent again: its sender waits for the outcome.
  const pauseS = end === 'delivered' || delivery.runId === null ? undefined : RETRY_PAUSES_S[delivery.attempts - 1];
  const state = end === 'delivered' ? 'delivered' : pauseS === undefined ? 'failed' : 'pending';
  const retryAt = pauseS === undefined ? null : new Date(at.getTime() + pauseS * 1000);
  const result = { state, at, retryAt, responseStatus, failure } as const;
  if (end === 'delivered' && isProven && webhook.failedAttempts === 0) {
    // Nothing else changes: the usual case is one statement.
    await recordAttempt(db, delivery.id, result);
    return { state, disabled: null };
  }
  return await db.transaction(async (tx) => {
    // Lock order: webhook, receiver, deliveries; changes of a webhook have the same.
    const failing = end === 'delivered' ? null : await countWebhookFailure(tx, webhook.id, at);
    if (end === 'delivered') await clearWebhookFailures(tx, webhook.id);
    if (end === 'unavailable') await countReceiverFailure(tx, webhook, { startedAt, now: at }, limits);
    else if (!isProven) await closeBreaker(tx, webhook, at);
    await recordAttempt(tx, delivery.id, result);
    const reason = failing === null ? null : whyDisable(failing, failure ?? '', at, limits);
    if (reason === null || !(await disableWebhook(tx, webhook.id, at, reason))) return { state, disabled: null };
    await failPending(tx, webhook.id, at);
    const { id: webhookId, projectId, host } = webhook;
    const server = { userId: null, apiKeyId: null, address: '', requestId: delivery.id };
    await recordAudit(tx, at, server, {
      action: 'webhook.disable',
      subject: webhookId,
      projectId,
      details: { host, reason },
    });
    return { state, disabled: { webhookId, projectId, host, reason } };
  });
}

/** The reason to disable a webhook; null while it has not failed for long enough. */
function whyDisable(
  { failingSince, failedAttempts }: { readonly failingSince: Date; readonly failedAttempts: number },
  lastFailure: string,
  now: Date,
  { disableAfterMs, disableAfterAttempts }: WebhookLimits,
): string | null {
  if (disableAfterMs === 0 || failedAttempts < disableAfterAttempts) return null;
  if (now.getTime() - failingSince.getTime() < disableAfterMs) return null;
  return `${failedAttempts} attempts since ${failingSince.toISOString()} have failed; the last: ${lastFailure}`;
}
