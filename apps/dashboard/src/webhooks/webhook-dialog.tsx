import type { Webhook } from '@gptj-cloud/sdk';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { confirmed } from '../api/confirmation.ts';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { FormDialog } from '../ui/form-dialog.tsx';
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
  const [url, setUrl] = useState(initial.url);
  const [events, setEvents] = useState(initial.events);
  const saving = useMutation({
    mutationFn: () => confirmed(() => save({ url: url.trim(), events })),
    onSuccess: onSaved,
  });
  const urlError = fieldErrorsOf(saving.error).url;
  return (
    <FormDialog
      title={title}
      action={action}
      canSend={url.trim() !== '' && events.length > 0}
      isPending={saving.isPending}
      onSend={() => saving.mutate()}
      onClose={onClose}
    >
      <WebhookFields url={url} onUrl={setUrl} urlError={urlError} events={events} onEvents={setEvents} />
      {saving.error !== null && urlError === undefined && <ErrorPanel error={saving.error} />}
    </FormDialog>
  );
}
