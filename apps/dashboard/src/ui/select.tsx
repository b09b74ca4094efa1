import type { ReactNode } from 'react';
import {
  Select as AriaSelect,
  Button,
  FieldError,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  SelectValue,
  Text,
} from 'react-aria-components';
import { Icon } from './icons.tsx';
import './field.css';
import './overlay.css';
import './select.css';

export interface Choice<Value extends string> {
  readonly id: Value;
  readonly label: string;
  /** Small text below the label. */
  readonly note?: string;
}

/** One of a few choices: `<Select label="State" value={state} onChange={setState} choices={[{ id: 'all', label: 'All' }]} />`. */
export function Select<Value extends string>({
  label,
  isLabelHidden = false,
  value,
  onChange,
  choices,
  hint,
  error,
  isDisabled = false,
  size = 'normal',
}: {
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
}) {
  return (
    <AriaSelect
      className="ui-field"
      selectedKey={value}
      onSelectionChange={(key) => onChange(key as Value)}
      isDisabled={isDisabled}
      isInvalid={Boolean(error)}
    >
      <Label className={isLabelHidden ? 'ui-hidden' : 'ui-label'}>{label}</Label>
      <Button className={`ui-select ui-select-${size}`}>
        <SelectValue className="ui-cut">
          {({ selectedText, defaultChildren }) => selectedText ?? defaultChildren}
        </SelectValue>
        <Icon name="down" size={12} />
      </Button>
      {hint && (
        <Text slot="description" className="ui-hint">
          {hint}
        </Text>
      )}
      <FieldError className="ui-field-error">{error}</FieldError>
      <Popover className="ui-popover" offset={4}>
        <ListBox className="ui-menu" items={choices}>
          {({ id, label: text, note }) => (
            <ListBoxItem id={id} textValue={text} className="ui-menu-item ui-select-item">
              {({ isSelected }) => (
                <>
                  <span className="ui-select-check">{isSelected && <Icon name="check" />}</span>
                  <span className="ui-select-text">
                    <Text slot="label">{text}</Text>
                    {note !== undefined && (
                      <Text slot="description" className="ui-hint">
                        {note}
                      </Text>
                    )}
                  </span>
                </>
              )}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </AriaSelect>
  );
}
