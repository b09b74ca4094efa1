import { PasswordField } from '../ui/field.tsx';
import { Icon } from '../ui/icons.tsx';
import { passwordRules } from './password-rules.ts';

/** A password that the user chooses, with the rules that it must meet. */
export function NewPasswordField({
  kind,
  value,
  onChange,
  error,
  label = 'Password',
}: {
  readonly kind: 'registration' | 'account';
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly error?: string | undefined;
  readonly label?: string;
}) {
  return (
    <div className="ui-field">
      <PasswordField
        label={label}
        name="password"
        autoComplete="new-password"
        value={value}
        onChange={onChange}
        error={error}
        isRequired
      />
      <ul className="sign-in-rules" aria-label="The password needs">
        {passwordRules(value, kind).map(({ text, isMet }) => (
          <li key={text} data-met={isMet || undefined}>
            <Icon name={isMet ? 'done' : 'circle'} size={14} />
            {text}
            <span className="ui-hidden">{isMet ? ', met' : ''}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
