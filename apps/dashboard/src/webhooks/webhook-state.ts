import type { Webhook } from '@gptj-cloud/sdk';

export type WebhookState = 'active' | 'disabled' | 'failing';

/** Failing: its last messages were not delivered, and the server still tries. */
export function webhookState({ isEnabled, failedAttempts }: Webhook): WebhookState {
  if (!isEnabled) return 'disabled';
  return failedAttempts > 0 ? 'failing' : 'active';
}

export const EVENTS = [
  { id: 'run.completed', label: 'run.completed', note: 'A run has ended with a result.' },
  { id: 'run.failed', label: 'run.failed', note: 'A run has failed or was cancelled.' },
] as const;
