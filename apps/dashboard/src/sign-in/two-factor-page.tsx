import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { acceptSession } from '../api/session.ts';
import { Button } from '../ui/button.tsx';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { Field } from '../ui/field.tsx';
import { linkSecret } from './link-secret.ts';
import { NoSecret } from './no-secret.tsx';
import { SignInFrame } from './sign-in-frame.tsx';

const APP_CODE = /^\d{6}$/;

/** The second step after a sign-in with a provider. */
export function TwoFactorPage() {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [token] = useState(linkSecret);
  const [code, setCode] = useState('');
  const confirm = useMutation({
    mutationFn: (factor: { readonly token: string; readonly code: string }) => cloud().auth.sendProviderCode(factor),
    onSuccess: async (session) => {
      await acceptSession(queries, session);
      await navigate({ to: '/' });
    },
    onError: () => setCode(''),
  });
  if (token === null) return <NoSecret title="Second step of signing in">Start the sign-in again.</NoSecret>;
  return (
    <SignInFrame
      title="Second step of signing in"
      lead="Your account has two-factor sign-in."
      foot={<Link to="/login">Sign in another way</Link>}
    >
      <form
        className="ui-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (!confirm.isPending) confirm.mutate({ token, code: code.trim() });
        }}
      >
        <Field
          label="Two-factor code"
          name="code"
          autoComplete="one-time-code"
          hint="Six digits of the authenticator app, or a recovery code."
          value={code}
          onChange={(value) => {
            setCode(value);
            if (APP_CODE.test(value.trim()) && !confirm.isPending) confirm.mutate({ token, code: value.trim() });
          }}
          isMono
          isRequired
          autoFocus
        />
        {confirm.error !== null && <ErrorPanel error={confirm.error} />}
        <Button type="submit" look="primary" wide isPending={confirm.isPending}>
          Go on
        </Button>
      </form>
    </SignInFrame>
  );
}
