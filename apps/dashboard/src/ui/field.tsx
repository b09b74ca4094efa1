import { type ReactNode, useState } from 'react';
import {
  TextField as AriaTextField,
  FieldError,
  Input,
  Label,
  Text,
  TextArea,
  type TextFieldProps,
} from 'react-aria-components';
import { IconButton } from './button.tsx';
import './field.css';

export interface FieldProps extends Omit<TextFieldProps, 'children' | 'className' | 'style' | 'isInvalid'> {
  readonly label: string;
  readonly hint?: ReactNode;
  /** The server's sentence about this value; the field is invalid while it is stated. */
  readonly error?: string | null | undefined;
  readonly placeholder?: string;
  /** Text before or after the value, such as a unit. */
  readonly before?: ReactNode;
  readonly after?: ReactNode;
  /** Several lines. */
  readonly lines?: number;
  /** In the fixed width font: tokens, codes, numbers of parameters. */
  readonly isMono?: boolean;
}

/** A text field with its label, a hint, and the server's sentence when the value is refused. */
export function Field({ label, hint, error, placeholder, before, after, lines, isMono, ...rest }: FieldProps) {
  const className = isMono ? 'ui-input ui-mono' : 'ui-input';
  return (
    <AriaTextField {...rest} isInvalid={Boolean(error)} className="ui-field">
      <Label className="ui-label">{label}</Label>
      <div className="ui-input-row">
        {before}
        {lines === undefined ? (
          <Input className={className} placeholder={placeholder ?? ''} />
        ) : (
          <TextArea className={className} rows={lines} placeholder={placeholder ?? ''} />
        )}
        {after}
      </div>
      {hint && (
        <Text slot="description" className="ui-hint">
          {hint}
        </Text>
      )}
      <FieldError className="ui-field-error">{error}</FieldError>
    </AriaTextField>
  );
}

/** A password, which a button shows. */
export function PasswordField(props: Omit<FieldProps, 'type' | 'after' | 'lines'>) {
  const [isShown, setShown] = useState(false);
  return (
    <Field
      {...props}
      type={isShown ? 'text' : 'password'}
      after={
        <IconButton
          label={isShown ? 'Hide the password' : 'Show the password'}
          icon={isShown ? 'eyeOff' : 'eye'}
          size="small"
          onPress={() => setShown(!isShown)}
        />
      }
    />
  );
}
