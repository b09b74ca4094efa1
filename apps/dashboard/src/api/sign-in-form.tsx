/** Sign in with a password and, where two-factor is on, a code: on the sign-in page, and over a page whose session has ended. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useCallback, useState } from 'react';
import { Button } from '../ui/button.tsx';
import { Countdown } from '../ui/countdown.tsx';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { Field, PasswordField } from '../ui/field.tsx';
import { problemOf } from '../ui/problem.ts';
import { cloud } from './cloud.ts';
import { acceptSession } from './session.ts';
import './sign-in-form.css';

export function SignInForm({
  login: fixedLogin,
  onSignedIn,
  children,
}: {
  /** The account whose session has ended; absent: asked for. */
  readonly login?: string;
  readonly onSignedIn: () => void;
  /** Between the fields and the button, such as a link to recovery. */
  readonly children?: ReactNode;
}) {
  const queries = useQueryClient();
  const [login, setLogin] = useState(fixedLogin ?? '');
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [needsCode, setNeedsCode] = useState(false);
  const [lockedMs, setLockedMs] = useState<number | null>(null);
  const unlock = useCallback(() => setLockedMs(null), []);
  const signIn = useMutation({
    mutationFn: () => cloud().auth.login({ login, password, ...(code !== '' && { code: code.trim() }) }),
    onSuccess: async (session) => {
      await acceptSession(queries, session);
      onSignedIn();
    },
    onError: (error) => {
      const problem = problemOf(error);
      if (problem.code === 'code_required') setNeedsCode(true);
      if (problem.code === 'code_wrong') setCode('');
      setLockedMs(problem.retryAfterMs);
    },
  });
  const problem = signIn.error === null ? null : problemOf(signIn.error);
  const isCodeProblem = problem?.code === 'code_wrong';
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (lockedMs === null && !signIn.isPending) signIn.mutate();
  };
  return (
    <form className="sign-in-form" onSubmit={submit}>
      {fixedLogin === undefined && (
        <Field
          label="E-mail address or username"
          name="username"
          autoComplete="username"
          value={login}
          onChange={setLogin}
          isRequired
          autoFocus
        />
      )}
      <PasswordField
        label="Password"
        name="password"
        autoComplete="current-password"
        value={password}
        onChange={setPassword}
        isRequired
        autoFocus={fixedLogin !== undefined}
      />
      {needsCode && (
        <Field
          label="Two-factor code"
          name="code"
          autoComplete="one-time-code"
          hint="Six digits of the authenticator app, or a recovery code."
          value={code}
          onChange={(value) => {
            setCode(value);
            // A pasted or complete code needs no press.
            if (/^\d{6}$/.test(value.trim()) && lockedMs === null) setTimeout(() => signIn.mutate());
          }}
          error={isCodeProblem ? `${problem.message}.` : null}
          isMono
          autoFocus
        />
      )}
      {problem !== null && problem.code !== 'code_required' && !isCodeProblem && lockedMs === null && (
        <ErrorPanel error={signIn.error} />
      )}
      {children}
      {lockedMs !== null && (
        <p className="sign-in-locked" role="status">
          {problem?.message}. <Countdown ms={lockedMs} text={(left) => `Again in ${left}`} onEnd={unlock} />
        </p>
      )}
      <Button type="submit" look="primary" wide isPending={signIn.isPending} aria-disabled={lockedMs !== null}>
        Sign in
      </Button>
    </form>
  );
}
