import type { WebhookDispatcherDeps } from '../webhooks/webhook-dispatcher.ts';
import type { WebhookLimits } from '../webhooks/webhook-limits.ts';

/** The defaults of the settings. */
export const TEST_WEBHOOK_LIMITS: WebhookLimits = {
  connectTimeoutMs: 3_000,
  timeoutMs: 10_000,
  concurrency: 32,
  concurrencyPerProject: 4,
  concurrencyPerHost: 8,
  breakerFailures: 3,
  breakerPauseMs: 30_000,
  breakerMaxPauseMs: 900_000,
  disableAfterMs: 5 * 86_400_000,
  disableAfterAttempts: 10,
  maxPending: 1000,
  maxAgeMs: 86_400_000,
  maxKept: 1000,
  replaysPerHour: 30,
  projectReplaysPerHour: 100,
};

/** Ports of a dispatcher that a test does not look at. */
export const TEST_WEBHOOK_PORTS: Pick<WebhookDispatcherDeps, 'limits' | 'observer' | 'onDisabled'> = {
  limits: TEST_WEBHOOK_LIMITS,
  observer: { attempted: () => {}, dropped: () => {}, disabled: () => {} },
  onDisabled: async () => {},
};
