import { lazy, type ReactElement, type ReactNode, Suspense, useState } from 'react';
import { Icon } from './icons.tsx';
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

// Its list of choices is loaded after the page shows.
const SelectField = lazy(async () => ({ default: (await import('./select-field.tsx')).SelectField })) as <
  Value extends string,
>(
  props: SelectProps<Value> & { readonly isFirstOpen: boolean },
) => ReactElement;

/** One of a few choices: `<Select label="State" value={state} onChange={setState} choices={[{ id: 'all', label: 'All' }]} />`. */
export function Select<Value extends string>(props: SelectProps<Value>) {
  // A press before the list is loaded opens it then.
  const [wasPressed, setPressed] = useState(false);
  return (
    <Suspense fallback={<StandIn {...props} onPress={() => setPressed(true)} />}>
      <SelectField {...props} isFirstOpen={wasPressed} />
    </Suspense>
  );
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
  onPress,
}: SelectProps<Value> & { readonly onPress: () => void }) {
  return (
    <div className="ui-field">
      <span className={isLabelHidden ? 'ui-hidden' : 'ui-label'}>{label}</span>
      <button type="button" className={`ui-select ui-select-${size}`} disabled={isDisabled} onClick={onPress}>
        <span className="ui-cut">{choices.find(({ id }) => id === value)?.label}</span>
        <Icon name="down" size={12} />
      </button>
      {hint && <span className="ui-hint">{hint}</span>}
    </div>
  );
}
