import type { Webhook } from '@gptj-cloud/sdk';
import { cloud } from '../api/cloud.ts';
import { WebhookDialog } from './webhook-dialog.tsx';
import { EVENTS } from './webhook-state.ts';

const EMPTY: Pick<Webhook, 'url' | 'events'> = { url: '', events: EVENTS.map(({ id }) => id) };

export function NewWebhookDialog({
  onClose,
  onCreated,
}: {
  readonly onClose: () => void;
  readonly onCreated: (webhook: Webhook) => void;
}) {
  return (
    <WebhookDialog
      title="New webhook"
      action="Create"
      initial={EMPTY}
      save={(fields) => cloud().webhooks.create(fields)}
      onClose={onClose}
      onSaved={onCreated}
    />
  );
}
