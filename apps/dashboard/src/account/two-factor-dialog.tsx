import { useMutation } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { Button } from '../ui/button.tsx';
import { CopyButton } from '../ui/copy.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { Field, PasswordField } from '../ui/field.tsx';
import { QrCode } from './qr-code.tsx';

/** Turns two-factor sign-in on: the password, then a code of the app that has read the QR code. */
export function TwoFactorDialog({
  onClose,
  onDone,
}: {
  readonly onClose: () => void;
  readonly onDone: (recoveryCodes: readonly string[]) => void;
}) {
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const form = useId();
  const begin = useMutation({ mutationFn: () => cloud().auth.beginTwoFactor(password) });
  const confirm = useMutation({
    mutationFn: (digits: string) => cloud().auth.confirmTwoFactor(digits),
    onSuccess: onDone,
    onError: () => setCode(''),
  });
  const secret = begin.data;
  const isPending = begin.isPending || confirm.isPending;
  return (
    // A dialog of its own for each step: one that grew would move under the pointer.
    <Dialog
      key={secret === undefined ? 'password' : 'code'}
      title="Turn two-factor sign-in on"
      isOpen
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>Cancel</Button>
          <Button type="submit" form={form} look="primary" isPending={isPending}>
            {secret === undefined ? 'Go on' : 'Turn on'}
          </Button>
        </>
      }
    >
      <form
        id={form}
        className="ui-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (isPending) return;
          if (secret === undefined) begin.mutate();
          else confirm.mutate(code.trim());
        }}
      >
        {secret === undefined ? (
          <>
            <PasswordField
              label="Your password"
              name="current-password"
              autoComplete="current-password"
              value={password}
              onChange={setPassword}
              isRequired
              autoFocus
            />
            {begin.error !== null && <ErrorPanel error={begin.error} />}
          </>
        ) : (
          <>
            <div className="account-qr">
              <QrCode text={secret.uri} label="QR code for the authenticator app" />
              <div className="ui-stack">
                <p>Read the QR code with an authenticator app, or type this key into it:</p>
                <p className="account-key">
                  <code>{grouped(secret.secret)}</code>
                  <CopyButton text={secret.secret} label="Copy the key" />
                </p>
              </div>
            </div>
            <Field
              label="Code that the app shows"
              name="code"
              inputMode="numeric"
              autoComplete="one-time-code"
              value={code}
              onChange={(value) => {
                setCode(value);
                // A complete code needs no press.
                if (/^\d{6}$/.test(value.trim()) && !confirm.isPending) confirm.mutate(value.trim());
              }}
              isRequired
              isMono
              autoFocus
            />
            {confirm.error !== null && <ErrorPanel error={confirm.error} />}
          </>
        )}
      </form>
    </Dialog>
  );
}

/** In groups of four, for typing. */
function grouped(secret: string): string {
  return secret.match(/.{1,4}/g)?.join(' ') ?? secret;
}
