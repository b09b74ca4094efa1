import type { Database } from '../store/db.ts';
import { countWaiting, enqueueDeliveries } from './delivery-store.ts';
import { countOpenBreakers } from './receiver-store.ts';
import type { RunEndEvent } from './webhook.ts';
import { WebhookDispatcher, type WebhookDispatcherDeps } from './webhook-dispatcher.ts';
import { createWebhookService, type WebhookService } from './webhook-service.ts';

/** For metrics. */
export interface WebhookCounts {
  readonly waiting: number;
  readonly sending: number;
  readonly openBreakers: number;
}

/** Webhooks from the end of a run to the receiver. */
export interface Webhooks {
  readonly service: WebhookService;
  /**
   * Store the deliveries of runs that end, in the transaction that ends them. Call the returned function when that
   * transaction is committed: it sends them. Each transaction has its own, since one may commit while others are open.
   */
  enqueue(tx: Database, ends: readonly RunEndEvent[]): Promise<() => void>;
  counts(): Promise<WebhookCounts>;
  /** Another process has stored due deliveries. */
  wake(): void;
  /** Resolves when no due delivery is left to send. */
  idle(): Promise<void>;
  /** Abort the attempts under way; the next start repeats them. A second call returns the promise of the first. */
  close(): Promise<void>;
}

export function openWebhooks(deps: WebhookDispatcherDeps): Webhooks {
  const dispatcher = new WebhookDispatcher(deps);
  return {
    service: createWebhookService({ ...deps, onDue: () => dispatcher.notify() }),
    async enqueue(tx, ends) {
      const { waiting, dropped } = await enqueueDeliveries(tx, ends, deps.limits.maxPending);
      return () => {
        // Most projects have no webhooks: skip the query.
        if (waiting > 0) dispatcher.notify();
        if (dropped > 0) deps.observer.dropped(dropped);
      };
    },
    counts: async () => ({
      waiting: await countWaiting(deps.db),
      sending: dispatcher.sending,
      openBreakers: await countOpenBreakers(deps.db, deps.clock()),
    }),
    wake: () => dispatcher.wake(),
    idle: () => dispatcher.idle(),
    close: () => dispatcher.close(),
  };
}
