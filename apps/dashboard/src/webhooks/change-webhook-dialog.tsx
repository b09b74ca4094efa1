import type { Webhook } from '@gptj-cloud/sdk';
import { cloud } from '../api/cloud.ts';
import { WebhookDialog } from './webhook-dialog.tsx';

export function ChangeWebhookDialog({
  webhook,
  onClose,
  onChanged,
}: {
  readonly webhook: Webhook;
  readonly onClose: () => void;
  readonly onChanged: () => void;
}) {
  return (
    <WebhookDialog
      title="Change the webhook"
      action="Save"
      initial={webhook}
      save={(fields) => cloud().webhooks.change(webhook.id, fields)}
      onClose={onClose}
      onSaved={() => onChanged()}
    />
  );
}
