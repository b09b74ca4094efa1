import type { ApiToken, Scope } from '@gptj-cloud/sdk';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { confirmed } from '../api/confirmation.ts';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { Field } from '../ui/field.tsx';
import { FormDialog } from '../ui/form-dialog.tsx';
import { problemOf } from '../ui/problem.ts';
import { RelativeTime } from '../ui/relative-time.tsx';
import { Select } from '../ui/select.tsx';
import { Switch } from '../ui/switch.tsx';
import { EXPIRIES, type Expiry, endOf, unusedLongest } from './expiry.ts';
import { DEFAULT_SCOPES, SCOPES, withScope } from './scopes.ts';

export function NewTokenDialog({
  tokens,
  onClose,
  onCreated,
}: {
  readonly tokens: readonly ApiToken[];
  readonly onClose: () => void;
  readonly onCreated: (token: ApiToken) => void;
}) {
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState<readonly Scope[]>(DEFAULT_SCOPES);
  const [expiry, setExpiry] = useState<Expiry>('never');
  const create = useMutation({
    mutationFn: () => {
      const expiresAt = endOf(expiry, new Date());
      const token = { name: name.trim(), scopes, ...(expiresAt !== null && { expiresAt }) };
      return confirmed(() => cloud().tokens.create(token));
    },
    onSuccess: onCreated,
  });
  return (
    <FormDialog
      title="New token"
      action="Create"
      canSend={name.trim() !== '' && scopes.length > 0}
      isPending={create.isPending}
      onSend={() => create.mutate()}
      onClose={onClose}
    >
      <Field
        label="Name"
        hint="What uses it, for example a script or a machine."
        value={name}
        onChange={setName}
        maxLength={100}
        isRequired
        autoFocus
        autoComplete="off"
      />
      <ScopeSwitches scopes={scopes} onChange={setScopes} />
      <Select label="Ends" value={expiry} onChange={setExpiry} choices={EXPIRIES} />
      {create.error !== null && (
        <ErrorPanel error={create.error}>
          {problemOf(create.error).code === 'limit_reached' && <UnusedLongest tokens={tokens} />}
        </ErrorPanel>
      )}
    </FormDialog>
  );
}

/** Which token can most likely go. */
function UnusedLongest({ tokens }: { readonly tokens: readonly ApiToken[] }) {
  const token = unusedLongest(tokens);
  return (
    token !== null && (
      <p>
        Unused longest is {token.name}, last used <RelativeTime at={token.lastUsed} />.
      </p>
    )
  );
}

function ScopeSwitches({
  scopes,
  onChange,
}: {
  readonly scopes: readonly Scope[];
  readonly onChange: (scopes: readonly Scope[]) => void;
}) {
  const isAdmin = scopes.includes('admin');
  return (
    <fieldset className="tokens-scopes">
      <legend className="ui-label">Scopes</legend>
      {SCOPES.map(({ id, allows }) => (
        <Switch
          key={id}
          isSelected={scopes.includes(id)}
          isDisabled={isAdmin && id !== 'admin'}
          onChange={(isOn) => onChange(withScope(scopes, id, isOn))}
          hint={allows}
        >
          <code>{id}</code>
        </Switch>
      ))}
      {scopes.length === 0 && <p className="ui-field-error">Choose at least one scope.</p>}
    </fieldset>
  );
}
