/**
 * Sends due deliveries from the store, a few at a time; one process of a store does. An attempt is counted before it is made: after a crash
 * it is repeated when its lease has expired, so a receiver may get a message twice, with the same id.
 */
import { toTimestamp } from '@gptj-cloud/protocol';
import type { Database } from '../store/db.ts';
import { always, type Polling, startPolling } from '../store/polling.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createDeliveryRotation, type DeliveryRotation, type Lane } from './delivery-rotation.ts';
import { claimDeliveries, failExpired, pruneDeliveries, WEBHOOK_DISABLED } from './delivery-store.ts';
import { deleteUnusedReceivers, findDueLanes } from './receiver-store.ts';
import { type Attempt, type AttemptEnd, type DisabledWebhook, type Outcome, recordOutcome } from './record-outcome.ts';
import { type SendWebhook, WebhookSendError } from './send-webhook.ts';
import { signedHeaders, signingSecrets, type Webhook, type WebhookDelivery } from './webhook.ts';
import type { WebhookLimits } from './webhook-limits.ts';

/** Is called for what happens to messages. */
export interface WebhookObserver {
  attempted(end: AttemptEnd): void;
  /** Messages that were not stored as waiting. */
  dropped(count: number): void;
  disabled(): void;
}

export interface WebhookDispatcherDeps {
  readonly db: Database;
  readonly logger: Logger;
  readonly clock: () => Date;
  /** The run for the message; null when it was deleted. */
  readonly describeRun: (projectId: string, runId: string) => Promise<unknown>;
  readonly allowPrivate: boolean;
  readonly send: SendWebhook;
  readonly limits: WebhookLimits;
  readonly observer: WebhookObserver;
  /** Inform the owner of a project. Is called after the webhook was disabled. */
  readonly onDisabled: (webhook: DisabledWebhook) => Promise<void>;
  /** Whether this process sends, of those on the store. Default: it does. */
  readonly maySend?: () => Promise<boolean>;
  /** Ask the process that sends to look for due deliveries: it is another one. Default: it finds them when it polls. */
  readonly wakeSender?: () => void;
  /** Default 5 s. */
  readonly pollMs?: number;
}

/** Added to the timeout of an attempt: the time to record it. */
const LEASE_MARGIN_MS = 50_000;
/** Deliveries that one poll ends because they are too old. */
const MAX_EXPIRED = 1000;
/** The data of a message with the type `webhook.test`. */
const TEST_MESSAGE = 'a test: no run belongs to this message';
const UNUSED_RECEIVER_MS = 86_400_000;

export class WebhookDispatcher {
  readonly #deps: WebhookDispatcherDeps;
  readonly #maySend: () => Promise<boolean>;
  readonly #abort = new AbortController();
  readonly #rotation: DeliveryRotation;
  readonly #sending = new Set<Promise<void>>();
  readonly #polling: Polling;
  /** Webhooks whose ended deliveries have become more since the last poll. */
  readonly #grown = new Set<string>();
  /** Whether a delivery may have become due since the last poll of the store. */
  #mayBeDue = false;
  #dispatching: Promise<void> | null = null;
  /** It is being found out which process sends. */
  #notifying: Promise<void> | null = null;
  #closing: Promise<void> | undefined;

  constructor(deps: WebhookDispatcherDeps) {
    this.#deps = deps;
    this.#maySend = deps.maySend ?? always;
    this.#rotation = createDeliveryRotation(deps.limits);
    this.#polling = startPolling(() => this.#poll(), {
      everyMs: deps.pollMs ?? 5_000,
      mayWork: this.#maySend,
      onError: (error) => deps.logger.error('webhooks could not be polled', { error }),
    });
  }

  /** Have the due deliveries sent, by this process or the one that sends. Call it after the transaction that stored one. */
  notify(): void {
    if (this.#abort.signal.aborted) return;
    this.#notifying ??= this.#maySend()
      .catch(() => false)
      .then((maySend) => {
        this.#notifying = null;
        if (maySend) this.wake();
        else this.#deps.wakeSender?.();
      });
  }

  /** Send the due deliveries, where this process sends. */
  wake(): void {
    if (this.#abort.signal.aborted) return;
    // Also during a poll, which may have read the store before the delivery was stored.
    this.#mayBeDue = true;
    this.#dispatching ??= this.#dispatch();
  }

  /** Messages that are being sent. */
  get sending(): number {
    return this.#rotation.sending;
  }

  /** Resolves when no due delivery is left to send. */
  async idle(): Promise<void> {
    while (this.#notifying !== null || this.#dispatching !== null || this.#sending.size > 0) {
      await this.#notifying;
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

  /** End what has waited too long, delete old deliveries, and look for due ones. */
  async sweep(): Promise<void> {
    const { db, clock, limits } = this.#deps;
    const now = clock();
    const createdBefore = new Date(now.getTime() - limits.maxAgeMs);
    for (const id of await failExpired(db, { createdBefore, now, limit: MAX_EXPIRED })) this.#grown.add(id);
    const grown = [...this.#grown];
    this.#grown.clear();
    for (const id of grown) await pruneDeliveries(db, id, limits.maxKept);
    await deleteUnusedReceivers(db, new Date(now.getTime() - UNUSED_RECEIVER_MS));
  }

  async #poll(): Promise<void> {
    this.wake();
    await this.sweep();
  }

  async #dispatch(): Promise<void> {
    try {
      while (this.#mayBeDue && !this.#abort.signal.aborted) {
        this.#mayBeDue = false;
        // Another process may have been elected since the last claim.
        if (!(await this.#maySend())) return;
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
    const { db, clock, limits } = this.#deps;
    if (this.#rotation.sending >= limits.concurrency) return 0;
    const now = clock();
    const lanes = await findDueLanes(db, now, { ...limits, atMost: limits.concurrencyPerProject });
    const counts = this.#rotation.choose(lanes);
    if (counts.size === 0) return 0;
    const leaseUntil = new Date(now.getTime() + limits.timeoutMs + LEASE_MARGIN_MS);
    const claimed = await claimDeliveries(db, { counts, now, leaseUntil });
    const laneOf = new Map(lanes.map((lane) => [lane.webhookId, lane]));
    for (const { delivery, webhook } of claimed) this.#start(delivery, webhook, laneOf.get(webhook.id));
    return claimed.length;
  }

  #start(delivery: WebhookDelivery, webhook: Webhook, lane: Lane | undefined): void {
    const isProven = lane?.isProven ?? false;
    const { id: webhookId, projectId, host } = webhook;
    const end = this.#rotation.begin({ webhookId, projectId, host, isProven });
    const attempt = { delivery, webhook, isProven, startedAt: this.#deps.clock() };
    const sending = this.#send(attempt).finally(() => {
      this.#sending.delete(sending);
      end();
      // The slot may be what another delivery waits for.
      this.wake();
    });
    this.#sending.add(sending);
  }

  async #send(attempt: Attempt): Promise<void> {
    const { db, logger, limits, observer, onDisabled } = this.#deps;
    const { delivery, webhook } = attempt;
    try {
      const outcome = await this.#attempt(delivery, webhook);
      // Aborted by `close`: nothing is recorded, so the attempt is repeated after the lease.
      if (this.#abort.signal.aborted && outcome.failure !== null) return;
      const { state, disabled } = await recordOutcome(db, attempt, outcome, limits);
      this.#grown.add(webhook.id);
      observer.attempted(outcome.end);
      const { responseStatus: status } = outcome;
      logger.info('webhook', { webhook_id: webhook.id, delivery_id: delivery.id, state, status });
      if (disabled === null) return;
      observer.disabled();
      logger.warn('webhook disabled', {
        webhook_id: webhook.id,
        project_id: webhook.projectId,
        reason: disabled.reason,
      });
      await onDisabled(disabled);
    } catch (error) {
      logger.error('webhook attempt could not be recorded', { delivery_id: delivery.id, error });
    }
  }

  async #attempt({ id, event, runId, createdAt }: WebhookDelivery, webhook: Webhook): Promise<Outcome> {
    const { clock, describeRun, allowPrivate, send, limits } = this.#deps;
    const { url, projectId, isEnabled } = webhook;
    const refused = { end: 'refused', responseStatus: null } as const;
    if (!isEnabled) return { ...refused, at: clock(), failure: WEBHOOK_DISABLED };
    const data =
      runId === null ? { webhook_id: webhook.id, message: TEST_MESSAGE } : await describeRun(projectId, runId);
    const sentAt = clock();
    const body = JSON.stringify({ id, type: event, created_at: toTimestamp(createdAt), data });
    const headers = {
      ...signedHeaders(signingSecrets(webhook, sentAt), { id, sentAt, body }),
      'content-type': 'application/json',
      'user-agent': 'gptj-cloud-webhooks',
    };
    const { connectTimeoutMs, timeoutMs } = limits;
    const { signal } = this.#abort;
    try {
      const status = await send({ url, headers, body }, { allowPrivate, connectTimeoutMs, timeoutMs, signal });
      const end = endOf(status);
      const failure = end === 'delivered' ? null : `expected a status of 2xx, got ${status}`;
      return { end, at: clock(), responseStatus: status, failure };
    } catch (error) {
      if (!(error instanceof WebhookSendError)) throw error;
      return { end: 'unavailable', at: clock(), responseStatus: null, failure: error.message };
    }
  }
}

/** A receiver that has faults of its own, or asks for fewer messages, is spared like one that does not reply. */
function endOf(status: number): AttemptEnd {
  if (status >= 200 && status < 300) return 'delivered';
  return status >= 500 || status === 429 ? 'unavailable' : 'refused';
}
