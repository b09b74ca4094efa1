/**
 * Sends due deliveries from the store, a few at a time. An attempt is counted before it is made: after a crash
 * it is repeated when its lease has expired, so a receiver may get a message twice, with the same id.
 */
import { toTimestamp } from '@gptj-cloud/protocol';
import type { Database } from '../store/db.ts';
import { type Polling, startPolling } from '../store/polling.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type SendWebhook, WebhookSendError } from './send-webhook.ts';
import { signedHeaders, type Webhook, type WebhookDelivery } from './webhook.ts';
import { claimDeliveries, recordAttempt } from './webhook-store.ts';

export interface WebhookDispatcherDeps {
  readonly db: Database;
  readonly logger: Logger;
  readonly clock: () => Date;
  /** The run for the message; null when it was deleted. */
  readonly describeRun: (projectId: string, runId: string) => Promise<unknown>;
  readonly allowPrivate: boolean;
  readonly send: SendWebhook;
  /** Default 5 s. */
  readonly pollMs?: number;
}

/** Pauses after failed attempts, about nine hours in all; after the last one the delivery has failed. */
const RETRY_PAUSES_S = [10, 60, 300, 1800, 7200, 21_600] as const;
const MAX_SENDING = 8;
const SEND_TIMEOUT_MS = 10_000;
/** Longer than an attempt can take. */
const LEASE_MS = 60_000;

export class WebhookDispatcher {
  readonly #deps: WebhookDispatcherDeps;
  readonly #abort = new AbortController();
  readonly #sending = new Set<Promise<void>>();
  readonly #polling: Polling;
  /** Whether a delivery may have become due since the last poll of the store. */
  #mayBeDue = false;
  #dispatching: Promise<void> | null = null;
  #closing: Promise<void> | undefined;

  constructor(deps: WebhookDispatcherDeps) {
    this.#deps = deps;
    this.#polling = startPolling(async () => this.wake(), {
      everyMs: deps.pollMs ?? 5_000,
      onError: (error) => deps.logger.error('webhooks could not be polled', { error }),
    });
  }

  /** Send the due deliveries. Call it after the transaction that stored one. */
  wake(): void {
    if (this.#abort.signal.aborted) return;
    // Also during a poll, which may have read the store before the delivery was stored.
    this.#mayBeDue = true;
    this.#dispatching ??= this.#dispatch();
  }

  /** Resolves when no due delivery is left to send. */
  async idle(): Promise<void> {
    while (this.#dispatching !== null || this.#sending.size > 0) {
      await this.#dispatching;
      await Promise.all(this.#sending);
    }
  }

  /** Abort the attempts under way; the next start repeats them. A second call returns the promise of the first. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      this.#abort.abort();
      await this.#polling.stop();
      await this.idle();
    })();
    return this.#closing;
  }

  async #dispatch(): Promise<void> {
    try {
      while (this.#mayBeDue && !this.#abort.signal.aborted) {
        if (this.#sending.size >= MAX_SENDING) await Promise.race(this.#sending);
        this.#mayBeDue = false;
        // There may be more due deliveries than were claimed.
        if ((await this.#claim()) > 0) this.#mayBeDue = true;
      }
    } catch (error) {
      this.#deps.logger.error('due webhooks could not be read', { error });
    } finally {
      // In the same step as the last check of the flag: a call of `wake` comes before it or starts anew.
      this.#dispatching = null;
    }
  }

  /** Claim due deliveries for the free slots and start to send them; the number claimed. */
  async #claim(): Promise<number> {
    const { db, clock } = this.#deps;
    const now = clock();
    const leaseUntil = new Date(now.getTime() + LEASE_MS);
    const claimed = await claimDeliveries(db, { limit: MAX_SENDING - this.#sending.size, now, leaseUntil });
    for (const { delivery, webhook } of claimed) {
      const sending = this.#send(delivery, webhook).finally(() => this.#sending.delete(sending));
      this.#sending.add(sending);
    }
    return claimed.length;
  }

  async #send(delivery: WebhookDelivery, webhook: Webhook): Promise<void> {
    const { db, clock, logger } = this.#deps;
    try {
      const { responseStatus, failure } = await this.#attempt(delivery, webhook);
      // Aborted by `close`: nothing is recorded, so the attempt is repeated after the lease.
      if (this.#abort.signal.aborted && failure !== null) return;
      const at = clock();
      const pauseS = failure === null ? undefined : RETRY_PAUSES_S[delivery.attempts - 1];
      const state = failure === null ? 'delivered' : pauseS === undefined ? 'failed' : 'pending';
      const retryAt = pauseS === undefined ? null : new Date(at.getTime() + pauseS * 1000);
      await recordAttempt(db, delivery.id, { state, at, retryAt, responseStatus, failure });
      logger.info('webhook', { webhook_id: webhook.id, delivery_id: delivery.id, state, status: responseStatus });
    } catch (error) {
      logger.error('webhook attempt could not be recorded', { delivery_id: delivery.id, error });
    }
  }

  async #attempt(
    { id, event, runId, createdAt }: WebhookDelivery,
    { url, secret, projectId, isEnabled }: Webhook,
  ): Promise<{ readonly responseStatus: number | null; readonly failure: string | null }> {
    if (!isEnabled) return { responseStatus: null, failure: 'the webhook is disabled' };
    const { clock, describeRun, allowPrivate, send } = this.#deps;
    const data = await describeRun(projectId, runId);
    const body = JSON.stringify({ id, type: event, created_at: toTimestamp(createdAt), data });
    const headers = {
      ...signedHeaders(secret, { id, sentAt: clock(), body }),
      'content-type': 'application/json',
      'user-agent': 'gptj-cloud-webhooks',
    };
    try {
      const { signal } = this.#abort;
      const status = await send({ url, headers, body }, { allowPrivate, timeoutMs: SEND_TIMEOUT_MS, signal });
      const isAccepted = status >= 200 && status < 300;
      return { responseStatus: status, failure: isAccepted ? null : `expected a status of 2xx, got ${status}` };
    } catch (error) {
      if (!(error instanceof WebhookSendError)) throw error;
      return { responseStatus: null, failure: error.message };
    }
  }
}
