import type { ReactNode } from 'react';
import {
  Checkbox as AriaCheckbox,
  Switch as AriaSwitch,
  type CheckboxProps,
  type SwitchProps,
  Text,
} from 'react-aria-components';
import { Icon } from './icons.tsx';
import './switch.css';

interface Extra {
  readonly children: ReactNode;
  /** One sentence below the label. */
  readonly hint?: ReactNode;
}

/** On or off, effective at once. */
export function Switch({ children, hint, ...rest }: Omit<SwitchProps, 'children' | 'className' | 'style'> & Extra) {
  return (
    <AriaSwitch {...rest} className="ui-check">
      <span className="ui-switch" aria-hidden="true" />
      <Label hint={hint}>{children}</Label>
    </AriaSwitch>
  );
}

/** One of several choices that a form sends together. */
export function Checkbox({ children, hint, ...rest }: Omit<CheckboxProps, 'children' | 'className' | 'style'> & Extra) {
  return (
    <AriaCheckbox {...rest} className="ui-check">
      {({ isSelected, isIndeterminate }) => (
        <>
          <span className="ui-box" aria-hidden="true">
            {isIndeterminate ? <Icon name="minus" size={12} /> : isSelected && <Icon name="check" size={12} />}
          </span>
          <Label hint={hint}>{children}</Label>
        </>
      )}
    </AriaCheckbox>
  );
}

function Label({ children, hint }: Extra) {
  return (
    <span className="ui-check-text">
      <span>{children}</span>
      {hint && <Text className="ui-hint">{hint}</Text>}
    </span>
  );
}
