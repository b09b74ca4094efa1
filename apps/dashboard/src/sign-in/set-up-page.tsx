import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { Button } from '../ui/button.tsx';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { fieldErrorsOf } from '../ui/problem.ts';
import { AccountFields } from './account-fields.tsx';
import { linkSecret } from './link-secret.ts';
import { NoSecret } from './no-secret.tsx';
import { SignInFrame } from './sign-in-frame.tsx';
import { useNewAccount } from './use-new-account.ts';

export function SetUpPage() {
  const [token] = useState(linkSecret);
  const [account, setAccount] = useState({ email: '', username: '', password: '' });
  const enter = useNewAccount();
  const setUp = useMutation({
    mutationFn: async (secret: string) => {
      await cloud().auth.setUp({ ...account, token: secret });
      await enter(account);
    },
  });
  if (token === null) {
    return <NoSecret title="Set up this server">The server printed it when it first started.</NoSecret>;
  }
  const errors = setUp.error === null ? {} : fieldErrorsOf(setUp.error);
  return (
    <SignInFrame
      title="Set up this server"
      lead="You are the first here. This account owns the server: it manages users, plans and the queue."
    >
      <form
        className="ui-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (!setUp.isPending) setUp.mutate(token);
        }}
      >
        <AccountFields kind="account" account={account} onChange={setAccount} errors={errors} />
        {setUp.error !== null && Object.keys(errors).length === 0 && <ErrorPanel error={setUp.error} />}
        <Button type="submit" look="primary" wide isPending={setUp.isPending}>
          Create the account
        </Button>
      </form>
    </SignInFrame>
  );
}
