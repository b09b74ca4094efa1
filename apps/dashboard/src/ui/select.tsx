import type { ReactNode } from 'react';
import { Button } from 'react-aria-components';
import { Icon } from './icons.tsx';
import { createLatePart, type Handover, useLatePart } from './late-part.ts';
import './field.css';
import './select.css';

export interface Choice<Value extends string> {
  readonly id: Value;
  readonly label: string;
  /** Small text below the label. */
  readonly note?: string;
}

export interface SelectProps<Value extends string> {
  readonly label: string;
  /** The label is for screen readers only; the value must speak for itself. */
  readonly isLabelHidden?: boolean;
  readonly value: Value;
  readonly onChange: (value: Value) => void;
  readonly choices: readonly Choice<Value>[];
  readonly hint?: ReactNode;
  readonly error?: string | null | undefined;
  readonly isDisabled?: boolean;
  readonly size?: 'normal' | 'small';
}

// No list of choices is open at first.
const lateSelectField = createLatePart(async () => (await import('./select-field.tsx')).SelectField);

/** One of a few choices: `<Select label="State" value={state} onChange={setState} choices={[{ id: 'all', label: 'All' }]} />`. */
export function Select<Value extends string>(props: SelectProps<Value>) {
  const [SelectField, { standIn, wasPressed, hadFocus }] = useLatePart(lateSelectField);
  if (SelectField === null) return <StandIn {...props} button={standIn} />;
  return <SelectField {...props} isFirstOpen={wasPressed} autoFocus={hadFocus} />;
}

/** As large as the select, so that nothing moves. */
function StandIn<Value extends string>({
  label,
  isLabelHidden = false,
  value,
  choices,
  hint,
  isDisabled = false,
  size = 'normal',
  button,
}: SelectProps<Value> & { readonly button: Handover['standIn'] }) {
  return (
    <div className="ui-field">
      <span className={isLabelHidden ? 'ui-hidden' : 'ui-label'}>{label}</span>
      <Button {...button} className={`ui-select ui-select-${size}`} isDisabled={isDisabled}>
        <span className="ui-cut">{choices.find(({ id }) => id === value)?.label}</span>
        <Icon name="down" size={12} />
      </Button>
      {hint && <span className="ui-hint">{hint}</span>}
    </div>
  );
}
