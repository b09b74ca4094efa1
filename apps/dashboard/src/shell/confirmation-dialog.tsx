import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useId, useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { answerConfirmation } from '../api/confirmation.ts';
import { useSession } from '../api/session.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { Field, PasswordField } from '../ui/field.tsx';

/** Asks for the password, and the two-factor code, before a change that a stolen session must not make. */
export function ConfirmationDialog() {
  const { user } = useSession();
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const form = useId();
  const confirm = useMutation({
    mutationFn: () => cloud().auth.confirm({ password, ...(code !== '' && { code: code.trim() }) }),
    onSuccess: () => answerConfirmation(true),
  });
  const cancel = (): void => answerConfirmation(false);
  return (
    <Dialog
      title="Confirm that it is you"
      isOpen
      onClose={cancel}
      actions={
        <>
          <Button onPress={cancel}>Cancel</Button>
          <Button type="submit" form={form} look="primary" isPending={confirm.isPending}>
            Confirm
          </Button>
        </>
      }
    >
      <form
        id={form}
        className="ui-stack"
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          if (!confirm.isPending) confirm.mutate();
        }}
      >
        <p className="ui-muted">Some changes need your password again, some minutes after the sign-in.</p>
        {/* For password managers. */}
        <input
          className="ui-hidden"
          type="text"
          autoComplete="username"
          value={user.username}
          readOnly
          tabIndex={-1}
          aria-hidden="true"
        />
        <PasswordField
          label="Password"
          name="password"
          autoComplete="current-password"
          value={password}
          onChange={setPassword}
          isRequired
          autoFocus
        />
        {user.twoFactor && (
          <Field
            label="Two-factor code"
            name="code"
            autoComplete="one-time-code"
            hint="Six digits of the authenticator app, or a recovery code."
            value={code}
            onChange={setCode}
            isRequired
            isMono
          />
        )}
        {confirm.error !== null && <ErrorPanel error={confirm.error} />}
      </form>
    </Dialog>
  );
}
