import type { MaintenanceState } from '@gptj-cloud/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { keys } from '../api/keys.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { Field } from '../ui/field.tsx';
import { formatDuration } from '../ui/formats.ts';
import { fieldErrorsOf } from '../ui/problem.ts';
import { Lasting } from '../ui/relative-time.tsx';
import { type Choice, Select } from '../ui/select.tsx';
import { StateBadge } from '../ui/state-badge.tsx';
import { toast } from '../ui/toasts.tsx';

const RETRIES: readonly Choice<string>[] = [
  { id: '60', label: 'a minute' },
  { id: '300', label: '5 minutes' },
  { id: '1800', label: 'half an hour' },
  { id: '7200', label: '2 hours' },
  { id: '43200', label: '12 hours' },
];

/** Refuse new runs for a time, with a sentence for those who send them. */
export function MaintenancePanel({ state }: { readonly state: MaintenanceState }) {
  const queries = useQueryClient();
  const [isOpen, setOpen] = useState(false);
  const renew = async (): Promise<void> => {
    await queries.invalidateQueries({ queryKey: keys.admin });
    await queries.invalidateQueries({ queryKey: keys.server });
  };
  const end = useMutation({
    mutationFn: () => cloud().admin.setMaintenance({ isOn: false }),
    onSuccess: async () => {
      await renew();
      toast('New runs are accepted again.');
    },
  });
  return (
    <section className={`ui-panel ui-stack${state.isOn ? ' admin-on' : ''}`}>
      <div className="ui-panel-head admin-head">
        <div className="ui-actions">
          <h2>Maintenance</h2>
          <StateBadge
            state={state.isOn ? 'requested' : 'ready'}
            label={state.isOn ? 'new runs are refused' : 'runs are accepted'}
          />
        </div>
        {state.isOn ? (
          <div className="ui-actions">
            <Button onPress={() => setOpen(true)}>Change the sentence</Button>
            <Button look="primary" isPending={end.isPending} onPress={() => end.mutate()}>
              Accept runs again
            </Button>
          </div>
        ) : (
          <Button onPress={() => setOpen(true)}>Refuse new runs</Button>
        )}
      </div>
      {state.isOn ? (
        <p>
          “{state.message}” Clients are asked to try again after {formatDuration((state.retryAfterSeconds ?? 0) * 1000)}
          .{' '}
          <span className="ui-muted">
            {state.since !== null && (
              <>
                Refused <Lasting since={state.since} />.
              </>
            )}
          </span>
        </p>
      ) : (
        <p className="ui-muted">
          Refusing new runs lets accepted ones end, for example before an update. It holds on every server of the store,
          and outlives restarts.
        </p>
      )}
      {end.error !== null && <ErrorPanel error={end.error} />}
      {isOpen && (
        <MaintenanceDialog
          state={state}
          onClose={() => setOpen(false)}
          onDone={() => {
            setOpen(false);
            void renew();
          }}
        />
      )}
    </section>
  );
}

function MaintenanceDialog({
  state,
  onClose,
  onDone,
}: {
  readonly state: MaintenanceState;
  readonly onClose: () => void;
  readonly onDone: () => void;
}) {
  const form = useId();
  const [message, setMessage] = useState(state.message ?? '');
  const [retry, setRetry] = useState(RETRIES.find(({ id }) => id === String(state.retryAfterSeconds))?.id ?? '300');
  const begin = useMutation({
    mutationFn: () =>
      cloud().admin.setMaintenance({
        isOn: true,
        retryAfterSeconds: Number(retry),
        ...(message.trim() !== '' && { message: message.trim() }),
      }),
    onSuccess: onDone,
  });
  const error = fieldErrorsOf(begin.error).message;
  return (
    <Dialog
      title={state.isOn ? 'Change the sentence' : 'Refuse new runs'}
      isOpen
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>Cancel</Button>
          <Button type="submit" form={form} look="primary" isPending={begin.isPending}>
            {state.isOn ? 'Save' : 'Refuse new runs'}
          </Button>
        </>
      }
    >
      <form
        id={form}
        className="ui-stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (!begin.isPending) begin.mutate();
        }}
      >
        <Field
          label="Sentence for those who send runs"
          hint="For example: New disks until noon. Without one, a general sentence is sent."
          value={message}
          onChange={setMessage}
          error={error}
          maxLength={300}
          autoFocus
          autoComplete="off"
        />
        <Select label="They may try again after" value={retry} onChange={setRetry} choices={RETRIES} />
        <p className="ui-muted">Accepted runs are executed, and everything else goes on.</p>
        {begin.error !== null && error === undefined && <ErrorPanel error={begin.error} />}
      </form>
    </Dialog>
  );
}
