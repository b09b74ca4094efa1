import type { ApiToken } from '@gptj-cloud/sdk';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useId, useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { confirmed } from '../api/confirmation.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { Field } from '../ui/field.tsx';
import { formatUtc } from '../ui/formats.ts';
import { type Choice, Select } from '../ui/select.tsx';
import { EXPIRIES, type Expiry, endOf } from './expiry.ts';

/** The name of a token, and when it ends. */
export function EditTokenDialog({
  token,
  onClose,
  onChanged,
}: {
  readonly token: ApiToken;
  readonly onClose: () => void;
  readonly onChanged: () => void;
}) {
  const [name, setName] = useState(token.name);
  const [expiry, setExpiry] = useState<Expiry | 'same'>('same');
  const form = useId();
  const save = useMutation({
    mutationFn: () => {
      const change = {
        ...(name.trim() !== token.name && { name: name.trim() }),
        ...(expiry !== 'same' && { expiresAt: endOf(expiry, new Date()) }),
      };
      return confirmed(() => cloud().tokens.change(token.id, change));
    },
    onSuccess: onChanged,
  });
  const same: Choice<'same'> = {
    id: 'same',
    label: token.expiresAt === null ? 'Never, as it is' : `As it is: ${formatUtc(token.expiresAt)}`,
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!save.isPending) save.mutate();
  };
  return (
    <Dialog
      title={`Change ${token.name}`}
      isOpen
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>Cancel</Button>
          <Button type="submit" form={form} look="primary" isPending={save.isPending} isDisabled={name.trim() === ''}>
            Save
          </Button>
        </>
      }
    >
      <form id={form} className="ui-stack" onSubmit={submit}>
        <Field label="Name" value={name} onChange={setName} maxLength={100} isRequired autoFocus autoComplete="off" />
        <Select<Expiry | 'same'> label="Ends" value={expiry} onChange={setExpiry} choices={[same, ...EXPIRIES]} />
        {save.error !== null && <ErrorPanel error={save.error} />}
      </form>
    </Dialog>
  );
}
