import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import { Input, SearchField } from 'react-aria-components';
import { Button } from './button.tsx';
import { Icon } from './icons.tsx';
import { type Shortcut, useShortcuts } from './shortcuts.ts';
import './filter-bar.css';

const TYPING_MS = 250;

/** Filters above a list: a search field, selects, and a way to clear all of them. */
export function FilterBar({
  search,
  children,
  count = 0,
  onClear,
  end,
}: {
  readonly search?: { readonly label: string; readonly value: string; readonly onChange: (value: string) => void };
  /** Selects, small ones with hidden labels. */
  readonly children?: ReactNode;
  /** How many filters are set. */
  readonly count?: number;
  readonly onClear?: () => void;
  /** At the end of the row, such as Export. */
  readonly end?: ReactNode;
}) {
  return (
    <search className="ui-filters">
      {search && <DelayedSearch {...search} />}
      {children}
      {count > 0 && onClear && (
        <Button look="quiet" size="small" icon="close" onPress={onClear}>
          Clear {count === 1 ? 'the filter' : `${count} filters`}
        </Button>
      )}
      {end && <div className="ui-actions ui-filters-end">{end}</div>}
    </search>
  );
}

/** Reports the text once the typing rests, so that a list is not requested for every letter. */
function DelayedSearch({
  label,
  value,
  onChange,
}: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}) {
  const [text, setText] = useState(value);
  const reported = useRef(value);
  useEffect(() => {
    // The address has changed from elsewhere, such as Back or Clear.
    if (value !== reported.current) {
      reported.current = value;
      setText(value);
    }
  }, [value]);
  useEffect(() => {
    if (text === reported.current) return;
    const timer = setTimeout(() => {
      reported.current = text;
      onChange(text);
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [text, onChange]);
  const input = useRef<HTMLInputElement>(null);
  const shortcuts = useMemo(
    (): readonly Shortcut[] => [{ keys: '/', label: 'Search', run: () => input.current?.select() }],
    [],
  );
  useShortcuts(shortcuts);
  return (
    <SearchField aria-label={label} className="ui-search" value={text} onChange={setText}>
      <Icon name="search" />
      <Input ref={input} className="ui-search-input" placeholder={label} />
    </SearchField>
  );
}
