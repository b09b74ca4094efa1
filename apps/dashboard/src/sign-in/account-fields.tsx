import { Field } from '../ui/field.tsx';
import { NewPasswordField } from './new-password-field.tsx';

export interface NewAccountText {
  readonly email: string;
  readonly username: string;
  readonly password: string;
}

/** Address, name and password of an account to be created. */
export function AccountFields({
  kind,
  account,
  onChange,
  errors,
}: {
  readonly kind: 'registration' | 'account';
  readonly account: NewAccountText;
  readonly onChange: (account: NewAccountText) => void;
  /** The server's sentences by field. */
  readonly errors: Readonly<Record<string, string>>;
}) {
  return (
    <>
      <Field
        label="E-mail address"
        type="email"
        name="email"
        autoComplete="email"
        value={account.email}
        onChange={(email) => onChange({ ...account, email })}
        error={errors.email}
        isRequired
        autoFocus
      />
      <Field
        label="Username"
        name="username"
        autoComplete="username"
        hint="3 to 24 letters, digits, - or _."
        value={account.username}
        onChange={(username) => onChange({ ...account, username })}
        error={errors.username}
        isRequired
      />
      <NewPasswordField
        kind={kind}
        value={account.password}
        onChange={(password) => onChange({ ...account, password })}
        error={errors.password}
      />
    </>
  );
}
