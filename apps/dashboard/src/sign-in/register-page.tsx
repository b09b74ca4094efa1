import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { serverQuery } from '../api/server.ts';
import { Button } from '../ui/button.tsx';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { fieldErrorsOf } from '../ui/problem.ts';
import { AccountFields } from './account-fields.tsx';
import { SignInFrame } from './sign-in-frame.tsx';
import { useNewAccount } from './use-new-account.ts';

export function RegisterPage() {
  const { data: server } = useQuery(serverQuery);
  const [account, setAccount] = useState({ email: '', username: '', password: '' });
  const enter = useNewAccount();
  const register = useMutation({
    mutationFn: async () => {
      const user = await cloud().auth.register(account);
      // Without mail the account exists at once; with it, it begins when its address is confirmed.
      if (user !== null) await enter(account);
      return user;
    },
  });
  if (register.data === null) {
    return (
      <SignInFrame title="Confirm your e-mail address" foot={<Link to="/login">Sign in</Link>}>
        <p>
          A link is on its way to <strong>{account.email}</strong>. It works for two days. Open it and enter the
          password that you chose; the account begins then.
        </p>
      </SignInFrame>
    );
  }
  if (server?.registration === 'closed') {
    return (
      <SignInFrame title="Register" foot={<Link to="/login">Sign in</Link>}>
        <p>This server accepts no registrations. Ask an owner of a project on this server to invite your address.</p>
      </SignInFrame>
    );
  }
  const errors = register.error === null ? {} : fieldErrorsOf(register.error);
  return (
    <SignInFrame
      title="Register"
      lead={server?.registration === 'invited' ? 'With an e-mail address that a project has invited.' : undefined}
      foot={
        <p>
          You have an account? <Link to="/login">Sign in</Link>
        </p>
      }
    >
      <form
        className="ui-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (!register.isPending) register.mutate();
        }}
      >
        <AccountFields kind="registration" account={account} onChange={setAccount} errors={errors} />
        {register.error !== null && Object.keys(errors).length === 0 && <ErrorPanel error={register.error} />}
        <Button type="submit" look="primary" wide isPending={register.isPending}>
          Register
        </Button>
      </form>
    </SignInFrame>
  );
}
