import type { ApiToken } from '@gptj-cloud/sdk';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { confirmed } from '../api/confirmation.ts';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { Field } from '../ui/field.tsx';
import { FormDialog } from '../ui/form-dialog.tsx';
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
  return (
    <FormDialog
      title={`Change ${token.name}`}
      action="Save"
      canSend={name.trim() !== ''}
      isPending={save.isPending}
      onSend={() => save.mutate()}
      onClose={onClose}
    >
      <Field label="Name" value={name} onChange={setName} maxLength={100} isRequired autoFocus autoComplete="off" />
      <Select<Expiry | 'same'> label="Ends" value={expiry} onChange={setExpiry} choices={[same, ...EXPIRIES]} />
      {save.error !== null && <ErrorPanel error={save.error} />}
    </FormDialog>
  );
}
