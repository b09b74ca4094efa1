/** Sign in with a password and, where two-factor is on, a code: on the sign-in page, and over a page whose session has ended. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useCallback, useState } from 'react';
import { Button } from '../ui/button.tsx';
import { Countdown } from '../ui/countdown.tsx';
import { ErrorPanel, sentence } from '../ui/error-panel.tsx';
import { Field, PasswordField } from '../ui/field.tsx';
import { problemOf } from '../ui/problem.ts';
import { cloud } from './cloud.ts';
import { acceptSession } from './session.ts';
import './sign-in-form.css';

/** Codes of an authenticator app have six digits; a complete one is sent without a press. */
const APP_CODE = /^\d{6}$/;

export function SignInForm({
  login: fixedLogin,
  onSignedIn,
  children,
}: {
  /** The account whose session has ended; absent: asked for. */
  readonly login?: string;
  readonly onSignedIn: () => void;
  /** Below the button, such as a link to another page. */
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
    mutationFn: (factor: string) =>
      cloud().auth.login({ login, password, ...(factor.trim() !== '' && { code: factor.trim() }) }),
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
  const isCodeWrong = problem?.code === 'code_wrong';
  const isLocked = lockedMs !== null;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!isLocked && !signIn.isPending) signIn.mutate(code);
  };
  return (
    <form className="ui-form" onSubmit={submit}>
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
            if (APP_CODE.test(value.trim()) && !isLocked && !signIn.isPending) signIn.mutate(value);
          }}
          error={isCodeWrong ? sentence(problem.message) : null}
          isMono
          isRequired
          autoFocus
        />
      )}
      {problem !== null && problem.code !== 'code_required' && !isCodeWrong && !isLocked && (
        <ErrorPanel error={signIn.error} />
      )}
      {isLocked && problem !== null && (
        <p className="sign-in-locked">
          <span role="alert">{sentence(problem.message)}</span>{' '}
          <Countdown ms={lockedMs} text={(left) => `Again in ${left}.`} onEnd={unlock} />
        </p>
      )}
      {/* A disabled button would lose the focus; a locked one keeps it, and the countdown says why nothing happens. */}
      <Button type="submit" look="primary" wide isPending={signIn.isPending} isLocked={isLocked}>
        Sign in
      </Button>
      {children}
    </form>
  );
}
