import type { WebhookEvent } from '@gptj-cloud/protocol';
import type { Database } from '../store/db.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { SendWebhook } from './send-webhook.ts';
import { WebhookDispatcher } from './webhook-dispatcher.ts';
import { createWebhookService, type WebhookService } from './webhook-service.ts';
import { enqueueDeliveries } from './webhook-store.ts';

export interface WebhooksDeps {
  readonly db: Database;
  readonly logger: Logger;
  readonly clock: () => Date;
  /** Let messages go to private networks and this machine, too. */
  readonly allowPrivate: boolean;
  readonly send: SendWebhook;
  /** What is told of a run: null when it is gone. */
  readonly describeRun: (projectId: string, runId: string) => Promise<unknown>;
}

/** Webhooks from the end of a run to the receiver's door. */
export interface Webhooks {
  readonly service: WebhookService;
  /** Takes part in the transaction that ends runs. */
  runsEnd(
    tx: Database,
    ends: readonly {
      readonly runId: string;
      readonly projectId: string;
      readonly event: WebhookEvent;
      readonly endedAt: Date;
    }[],
  ): Promise<void>;
  /** Call it when such a transaction has been committed. */
  runEnded(): void;
  /** Resolves when nothing that was due is left to send. */
  idle(): Promise<void>;
  /** Break off what is being sent; the next start goes on. Idempotent. */
  close(): Promise<void>;
}

export function openWebhooks(deps: WebhooksDeps): Webhooks {
  const dispatcher = new WebhookDispatcher(deps);
  let isDue = false;
  return {
    service: createWebhookService({ ...deps, onDue: () => dispatcher.wake() }),
    async runsEnd(tx, ends) {
      // Most projects have no webhooks: the store is asked for due deliveries only when there may be some.
      if (await enqueueDeliveries(tx, ends)) isDue = true;
    },
    runEnded() {
      if (isDue) dispatcher.wake();
      isDue = false;
    },
    idle: () => dispatcher.idle(),
    close: () => dispatcher.close(),
  };
}
