import type { ServerMetrics } from './server-metrics.ts';

const OUTCOMES = ['delivered', 'refused', 'unavailable'] as const;

/** Counts what happens to the messages of webhooks. */
export interface WebhookCounter {
  attempted(outcome: (typeof OUTCOMES)[number]): void;
  dropped(count: number): void;
  disabled(): void;
}

/** All series exist from the start: a rate must not miss the first of its kind. */
export function countWebhooks({ webhookAttempts, webhooksDropped, webhooksDisabled }: ServerMetrics): WebhookCounter {
  for (const outcome of OUTCOMES) webhookAttempts.add(0, { outcome });
  webhooksDropped.add(0);
  webhooksDisabled.add(0);
  return {
    attempted: (outcome) => webhookAttempts.add(1, { outcome }),
    dropped: (count) => webhooksDropped.add(count),
    disabled: () => webhooksDisabled.add(1),
  };
}
