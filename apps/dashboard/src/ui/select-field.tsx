import {
  Button,
  FieldError,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  Select,
  SelectValue,
  Text,
} from 'react-aria-components';
import { Icon } from './icons.tsx';
import type { SelectProps } from './select.tsx';
import './overlay.css';

/** The control of a `Select`, with the list that it opens. */
export function SelectField<Value extends string>({
  label,
  isLabelHidden = false,
  value,
  onChange,
  choices,
  hint,
  error,
  isDisabled = false,
  size = 'normal',
  isFirstOpen,
  autoFocus,
}: SelectProps<Value> & { readonly isFirstOpen: boolean; readonly autoFocus: boolean }) {
  return (
    <Select
      className="ui-field"
      selectedKey={value}
      onSelectionChange={(key) => onChange(key as Value)}
      isDisabled={isDisabled}
      isInvalid={Boolean(error)}
      defaultOpen={isFirstOpen}
      autoFocus={autoFocus}
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
                    {/* Without slots: the name of an option has all its visible words. */}
                    <span>{text}</span>
                    {note !== undefined && <span className="ui-hint">{note}</span>}
                  </span>
                </>
              )}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </Select>
  );
}
