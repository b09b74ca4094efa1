import type { Keep, Recovery } from '@gptj-cloud/sdk';
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { Button, ButtonLink } from '../ui/button.tsx';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { formatPlural } from '../ui/formats.ts';
import { fieldErrorsOf } from '../ui/problem.ts';
import { Checkbox } from '../ui/switch.tsx';
import { linkSecret } from './link-secret.ts';
import { NewPasswordField } from './new-password-field.tsx';
import { NoSecret } from './no-secret.tsx';
import { SignInFrame } from './sign-in-frame.tsx';

const KEPT: readonly { readonly id: Keep; readonly label: string; readonly hint: string }[] = [
  { id: 'tokens', label: 'API tokens', hint: 'Programs go on without a change.' },
  { id: 'identities', label: 'Linked providers', hint: 'Signing in with GitHub or another provider.' },
  { id: 'webhooks', label: 'Webhooks', hint: 'Addresses that are notified of runs.' },
  { id: 'members', label: 'Members of your projects', hint: 'Other accounts in them.' },
];

export function ResetPasswordPage() {
  const [token] = useState(linkSecret);
  const [password, setPassword] = useState('');
  const [keep, setKeep] = useState<readonly Keep[]>([]);
  const reset = useMutation({
    mutationFn: (secret: string) => cloud().auth.resetPassword({ token: secret, password, keep }),
  });
  if (token === null) {
    return (
      <NoSecret title="Set a new password">
        <Link to="/forgot-password">Request another link</Link>
      </NoSecret>
    );
  }
  if (reset.data !== undefined) return <Done recovery={reset.data} />;
  const errors = reset.error === null ? {} : fieldErrorsOf(reset.error);
  return (
    <SignInFrame
      title="Set a new password"
      lead="It ends all access to the account from before: sessions, and what is not ticked below."
    >
      <form
        className="ui-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (!reset.isPending) reset.mutate(token);
        }}
      >
        <NewPasswordField
          kind="account"
          label="New password"
          value={password}
          onChange={setPassword}
          error={errors.password}
        />
        <fieldset className="sign-in-keep">
          <legend>Keep, if no one else could have used them</legend>
          {KEPT.map(({ id, label, hint }) => (
            <Checkbox
              key={id}
              hint={hint}
              isSelected={keep.includes(id)}
              onChange={(isKept) => setKeep(isKept ? [...keep, id] : keep.filter((each) => each !== id))}
            >
              {label}
            </Checkbox>
          ))}
        </fieldset>
        {reset.error !== null && Object.keys(errors).length === 0 && (
          <ErrorPanel error={reset.error}>
            <ButtonLink to="/forgot-password" size="small">
              Request another link
            </ButtonLink>
          </ErrorPanel>
        )}
        <Button type="submit" look="primary" wide isPending={reset.isPending}>
          Set the password
        </Button>
      </form>
    </SignInFrame>
  );
}

function Done({ recovery }: { readonly recovery: Recovery }) {
  const ended = [
    { count: recovery.sessions, one: 'session' },
    { count: recovery.tokens, one: 'API token' },
    { count: recovery.identities, one: 'linked provider' },
    { count: recovery.webhooks, one: 'webhook' },
    { count: recovery.members, one: 'member' },
    { count: recovery.invitations, one: 'invitation' },
    { count: recovery.memberships, one: 'membership' },
  ].filter(({ count }) => count > 0);
  return (
    <SignInFrame title="The password is set">
      {(ended.length > 0 || recovery.twoFactor) && (
        <div>
          <p>It has ended:</p>
          <ul className="sign-in-rules">
            {ended.map(({ count, one }) => (
              <li key={one}>{formatPlural(count, one)}</li>
            ))}
            {recovery.twoFactor && <li>two-factor sign-in</li>}
          </ul>
        </div>
      )}
      <ButtonLink to="/login" look="primary">
        Sign in
      </ButtonLink>
    </SignInFrame>
  );
}
