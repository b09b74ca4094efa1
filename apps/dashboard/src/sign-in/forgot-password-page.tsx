import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { serverQuery } from '../api/server.ts';
import { Button } from '../ui/button.tsx';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { Field } from '../ui/field.tsx';
import { SignInFrame } from './sign-in-frame.tsx';

export function ForgotPasswordPage() {
  const { data: server } = useQuery(serverQuery);
  const [email, setEmail] = useState('');
  const request = useMutation({ mutationFn: () => cloud().auth.forgotPassword(email) });
  const foot = <Link to="/login">Sign in</Link>;
  if (request.isSuccess) {
    return (
      <SignInFrame title="Look for the link" foot={foot}>
        <p>
          If <strong>{email}</strong> has an account here, a link to set a new password was made. It works for an hour.
        </p>
        <p className="ui-muted">
          {server?.mail === false
            ? 'This server sends no mail: ask its operator for the link, which is in the server’s log.'
            : 'It is on its way by mail.'}
        </p>
      </SignInFrame>
    );
  }
  return (
    <SignInFrame title="Forgot the password" lead="A link lets you set a new one." foot={foot}>
      <form
        className="ui-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (!request.isPending) request.mutate();
        }}
      >
        <Field
          label="E-mail address"
          type="email"
          name="email"
          autoComplete="email"
          value={email}
          onChange={setEmail}
          isRequired
          autoFocus
        />
        {request.error !== null && <ErrorPanel error={request.error} />}
        <Button type="submit" look="primary" wide isPending={request.isPending}>
          Request the link
        </Button>
      </form>
    </SignInFrame>
  );
}
