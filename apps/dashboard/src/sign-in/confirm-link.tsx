import type { LinkSecret, User } from '@gptj-cloud/sdk';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { setGate } from '../api/gate.ts';
import { sessionQuery } from '../api/session.ts';
import { Button, ButtonLink } from '../ui/button.tsx';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { PasswordField } from '../ui/field.tsx';
import { linkSecret } from './link-secret.ts';
import { NoSecret } from './no-secret.tsx';
import { SignInFrame } from './sign-in-frame.tsx';

/** A link that proves an e-mail address. A session of the account proves who opens it; without one the password does. */
export function ConfirmLink({
  title,
  action,
  done,
  missing,
  send,
}: {
  readonly title: string;
  readonly action: string;
  readonly done: string;
  /** Where to get another link. */
  readonly missing: ReactNode;
  readonly send: (link: LinkSecret) => Promise<User>;
}) {
  const queries = useQueryClient();
  const [token] = useState(linkSecret);
  const [password, setPassword] = useState('');
  const { data: session, isPending } = useQuery(sessionQuery);
  const confirm = useMutation({
    mutationFn: (secret: string) => send({ token: secret, ...(password !== '' && { password }) }),
    onSuccess: async () => {
      setGate('open');
      await queries.invalidateQueries();
    },
  });
  if (token === null) return <NoSecret title={title}>{missing}</NoSecret>;
  if (confirm.isSuccess) {
    return (
      <SignInFrame title={title}>
        <p role="status">{done}</p>
        <ButtonLink to={session ? '/' : '/login'} look="primary">
          {session ? 'Go to Home' : 'Sign in'}
        </ButtonLink>
      </SignInFrame>
    );
  }
  return (
    <SignInFrame title={title} lead={session ? `For the account ${session.user.username}.` : undefined}>
      <form
        className="ui-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (!confirm.isPending) confirm.mutate(token);
        }}
      >
        {!isPending && !session && (
          <PasswordField
            label="Password of your account"
            name="password"
            autoComplete="current-password"
            value={password}
            onChange={setPassword}
            isRequired
            autoFocus
          />
        )}
        {confirm.error !== null && <ErrorPanel error={confirm.error} />}
        <Button type="submit" look="primary" wide isPending={confirm.isPending}>
          {action}
        </Button>
      </form>
    </SignInFrame>
  );
}
