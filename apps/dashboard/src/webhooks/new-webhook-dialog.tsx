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
import { EVENTS } from './webhook-state.ts';

export function NewWebhookDialog({
  onClose,
  onCreated,
}: {
  readonly onClose: () => void;
  readonly onCreated: (webhook: Webhook) => void;
}) {
  const form = useId();
  const [url, setUrl] = useState('');
  const [events, setEvents] = useState<Webhook['events']>(EVENTS.map(({ id }) => id));
  const create = useMutation({
    mutationFn: () => confirmed(() => cloud().webhooks.create({ url: url.trim(), events })),
    onSuccess: onCreated,
  });
  const urlError = fieldErrorsOf(create.error).url;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!create.isPending && events.length > 0) create.mutate();
  };
  return (
    <Dialog
      title="New webhook"
      isOpen
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>Cancel</Button>
          <Button
            type="submit"
            form={form}
            look="primary"
            isPending={create.isPending}
            isDisabled={url.trim() === '' || events.length === 0}
          >
            Create
          </Button>
        </>
      }
    >
      <form id={form} className="ui-stack" onSubmit={submit} noValidate>
        <WebhookFields url={url} onUrl={setUrl} urlError={urlError} events={events} onEvents={setEvents} />
        {create.error !== null && urlError === undefined && <ErrorPanel error={create.error} />}
      </form>
    </Dialog>
  );
}
