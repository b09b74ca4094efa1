import type { Webhook } from '@gptj-cloud/sdk';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useId, useState } from 'react';
import { confirmed } from '../api/confirmation.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { fieldErrorsOf } from '../ui/problem.ts';
import { WebhookFields } from './webhook-fields.tsx';

type Fields = Pick<Webhook, 'url' | 'events'>;

/** The form of a new webhook and of one that exists. `save` resolves to the webhook as the server has it then. */
export function WebhookDialog({
  title,
  action,
  initial,
  save,
  onClose,
  onSaved,
}: {
  readonly title: string;
  /** The word on the button. */
  readonly action: string;
  readonly initial: Fields;
  readonly save: (fields: Fields) => Promise<Webhook>;
  readonly onClose: () => void;
  readonly onSaved: (webhook: Webhook) => void;
}) {
  const form = useId();
  const [url, setUrl] = useState(initial.url);
  const [events, setEvents] = useState(initial.events);
  const saving = useMutation({
    mutationFn: () => confirmed(() => save({ url: url.trim(), events })),
    onSuccess: onSaved,
  });
  const urlError = fieldErrorsOf(saving.error).url;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!saving.isPending && events.length > 0) saving.mutate();
  };
  return (
    <Dialog
      title={title}
      isOpen
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>Cancel</Button>
          <Button
            type="submit"
            form={form}
            look="primary"
            isPending={saving.isPending}
            isDisabled={url.trim() === '' || events.length === 0}
          >
            {action}
          </Button>
        </>
      }
    >
      <form id={form} className="ui-stack" onSubmit={submit} noValidate>
        <WebhookFields url={url} onUrl={setUrl} urlError={urlError} events={events} onEvents={setEvents} />
        {saving.error !== null && urlError === undefined && <ErrorPanel error={saving.error} />}
      </form>
    </Dialog>
  );
}
