import type { Webhook } from '@gptj-cloud/sdk';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useId, useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { confirmed } from '../api/confirmation.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { fieldErrorsOf } from '../ui/problem.ts';
import { WebhookFields } from './webhook-fields.tsx';

export function ChangeWebhookDialog({
  webhook,
  onClose,
  onChanged,
}: {
  readonly webhook: Webhook;
  readonly onClose: () => void;
  readonly onChanged: () => void;
}) {
  const form = useId();
  const [url, setUrl] = useState(webhook.url);
  const [events, setEvents] = useState(webhook.events);
  const change = useMutation({
    mutationFn: () => confirmed(() => cloud().webhooks.change(webhook.id, { url: url.trim(), events })),
    onSuccess: onChanged,
  });
  const urlError = fieldErrorsOf(change.error).url;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!change.isPending && events.length > 0) change.mutate();
  };
  return (
    <Dialog
      title="Change the webhook"
      isOpen
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>Cancel</Button>
          <Button
            type="submit"
            form={form}
            look="primary"
            isPending={change.isPending}
            isDisabled={url.trim() === '' || events.length === 0}
          >
            Save
          </Button>
        </>
      }
    >
      <form id={form} className="ui-stack" onSubmit={submit} noValidate>
        <WebhookFields url={url} onUrl={setUrl} urlError={urlError} events={events} onEvents={setEvents} />
        {change.error !== null && urlError === undefined && <ErrorPanel error={change.error} />}
      </form>
    </Dialog>
  );
}
