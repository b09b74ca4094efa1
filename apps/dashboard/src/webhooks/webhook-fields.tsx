import type { Webhook } from '@gptj-cloud/sdk';
import { Field } from '../ui/field.tsx';
import { Checkbox } from '../ui/switch.tsx';
import { EVENTS } from './webhook-state.ts';

type Events = Webhook['events'];

/** Address and events of a webhook, new or changed. */
export function WebhookFields({
  url,
  onUrl,
  urlError,
  events,
  onEvents,
}: {
  readonly url: string;
  readonly onUrl: (url: string) => void;
  readonly urlError: string | undefined;
  readonly events: Events;
  readonly onEvents: (events: Events) => void;
}) {
  const choose = (event: Events[number], isChosen: boolean): void =>
    onEvents(EVENTS.map(({ id }) => id).filter((id) => (id === event ? isChosen : events.includes(id))));
  return (
    <>
      <Field
        label="Address"
        hint="Messages are sent here by POST. Best by https, so that only the receiver reads them."
        value={url}
        onChange={onUrl}
        error={urlError}
        type="url"
        placeholder="https://example.com/hook"
        maxLength={2048}
        isMono
        isRequired
        autoFocus
        autoComplete="off"
      />
      <fieldset className="webhooks-fieldset">
        <legend className="ui-label">Events</legend>
        {EVENTS.map(({ id, label, note }) => (
          <Checkbox key={id} isSelected={events.includes(id)} onChange={(isChosen) => choose(id, isChosen)} hint={note}>
            <code>{label}</code>
          </Checkbox>
        ))}
        {events.length === 0 && <p className="ui-field-error">Choose at least one event.</p>}
      </fieldset>
    </>
  );
}
