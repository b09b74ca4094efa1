/**
 * Sends what is due, from the store, a few at a time. An attempt is counted before it is made: one that a crash cuts
 * short is made again when its time has run out, so that receivers may get a message twice, with the same id.
 */
import { toTimestamp } from '@gptj-cloud/protocol';
import type { Database } from '../store/db.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type SendWebhook, WebhookSendError } from './send-webhook.ts';
import { signedHeaders, type Webhook, type WebhookDelivery } from './webhook.ts';
import { claimDeliveries, recordAttempt } from './webhook-store.ts';

export interface WebhookDispatcherDeps {
  readonly db: Database;
  readonly logger: Logger;
  readonly clock: () => Date;
  /** What is told of a run: null when it is gone. */
  readonly describeRun: (projectId: string, runId: string) => Promise<unknown>;
  readonly allowPrivate: boolean;
  readonly send: SendWebhook;
  /** Default 5 s. */
  readonly pollMs?: number;
}

/** Pauses after failed attempts; after the last one it is given up. About nine hours in all. */
const PAUSES_S = [10, 60, 300, 1800, 7200, 21_600] as const;
const AT_ONCE = 8;
const TIMEOUT_MS = 10_000;
/** Longer than an attempt can take. */
const LEASE_MS = 60_000;

export class WebhookDispatcher {
  readonly #deps: WebhookDispatcherDeps;
  readonly #abort = new AbortController();
  readonly #sending = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  #filling: Promise<void> | null = null;

  constructor(deps: WebhookDispatcherDeps) {
    this.#deps = deps;
    this.#timer = setInterval(() => this.wake(), deps.pollMs ?? 5_000);
    this.#timer.unref();
  }

  /** Look now for what is due. */
  wake(): void {
    if (this.#abort.signal.aborted) return;
    this.#filling ??= this.#fill().finally(() => {
      this.#filling = null;
    });
  }

  /** Resolves when nothing that was due is left to send. */
  async idle(): Promise<void> {
    while (this.#filling !== null || this.#sending.size > 0) {
      await this.#filling;
      await Promise.all(this.#sending);
    }
  }

  /** Break off what is being sent; the store keeps it for the next start. Idempotent. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#abort.abort();
    await this.idle();
  }

  async #fill(): Promise<void> {
    const { db, clock, logger } = this.#deps;
    try {
      while (!this.#abort.signal.aborted) {
        if (this.#sending.size >= AT_ONCE) await Promise.race(this.#sending);
        const now = clock();
        const leaseUntil = new Date(now.getTime() + LEASE_MS);
        const claimed = await claimDeliveries(db, { limit: AT_ONCE - this.#sending.size, now, leaseUntil });
        if (claimed.length === 0) return;
        for (const { delivery, webhook } of claimed) {
          const sending = this.#send(delivery, webhook).finally(() => this.#sending.delete(sending));
          this.#sending.add(sending);
        }
      }
    } catch (error) {
      logger.error('webhooks could not be sent', { error });
    }
  }

  async #send(delivery: WebhookDelivery, webhook: Webhook): Promise<void> {
    const { db, clock, logger } = this.#deps;
    try {
      const { responseStatus, failure } = await this.#attempt(delivery, webhook);
      // Broken off: nothing is recorded, and the store has it tried again.
      if (this.#abort.signal.aborted && failure !== null) return;
      const at = clock();
      const pauseS = failure === null ? undefined : PAUSES_S[delivery.attempts - 1];
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
      const status = await send({ url, headers, body }, { allowPrivate, timeoutMs: TIMEOUT_MS, signal });
      const isTaken = status >= 200 && status < 300;
      return { responseStatus: status, failure: isTaken ? null : `expected a status of 2xx, got ${status}` };
    } catch (error) {
      if (!(error instanceof WebhookSendError)) throw error;
      return { responseStatus: null, failure: error.message };
    }
  }
}
