import type { Database } from '../store/db.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { SendWebhook } from './send-webhook.ts';
import type { RunEndEvent } from './webhook.ts';
import { WebhookDispatcher } from './webhook-dispatcher.ts';
import { createWebhookService, type WebhookService } from './webhook-service.ts';
import { enqueueDeliveries } from './webhook-store.ts';

export interface WebhooksDeps {
  readonly db: Database;
  readonly logger: Logger;
  readonly clock: () => Date;
  /** Allow targets in private networks and on this machine. */
  readonly allowPrivate: boolean;
  readonly send: SendWebhook;
  /** The run for messages; null when it was deleted. */
  readonly describeRun: (projectId: string, runId: string) => Promise<unknown>;
}

/** Webhooks from the end of a run to the receiver. */
export interface Webhooks {
  readonly service: WebhookService;
  /**
   * Store the deliveries of runs that end, in the transaction that ends them. Call the returned function when that
   * transaction is committed: it sends them. Each transaction has its own, since one may commit while others are open.
   */
  enqueue(tx: Database, ends: readonly RunEndEvent[]): Promise<() => void>;
  /** Resolves when no due delivery is left to send. */
  idle(): Promise<void>;
  /** Abort the attempts under way; the next start repeats them. A second call returns the promise of the first. */
  close(): Promise<void>;
}

export function openWebhooks(deps: WebhooksDeps): Webhooks {
  const dispatcher = new WebhookDispatcher(deps);
  return {
    service: createWebhookService({ ...deps, onDue: () => dispatcher.wake() }),
    async enqueue(tx, ends) {
      const hasDeliveries = await enqueueDeliveries(tx, ends);
      return () => {
        // Most projects have no webhooks: skip the query.
        if (hasDeliveries) dispatcher.wake();
      };
    },
    idle: () => dispatcher.idle(),
    close: () => dispatcher.close(),
  };
}
