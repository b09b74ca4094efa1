import { type KeyboardEvent, type ReactNode, useId } from 'react';
import { nextTab } from './next-tab.ts';
import './tabs.css';

export interface TabEntry<Id extends string> {
  readonly id: Id;
  readonly label: ReactNode;
  readonly content: ReactNode;
}

// Not React Aria's tabs: its collections would be a tenth of the code of every page with a snippet.
/** Views of one thing. The selected one belongs into a search parameter, so that it is part of the link. */
export function Tabs<Id extends string>({
  label,
  tabs,
  selected,
  onSelect,
  look = 'line',
  end,
}: {
  readonly label: string;
  readonly tabs: readonly TabEntry<Id>[];
  readonly selected: Id;
  readonly onSelect: (id: Id) => void;
  /** `line` below a heading, `box` inside a panel. */
  readonly look?: 'line' | 'box';
  /** At the end of the row of tabs. */
  readonly end?: ReactNode;
}) {
  const id = useId();
  const move = (event: KeyboardEvent<HTMLElement>): void => {
    const next = nextTab(
      tabs.map((tab) => tab.id),
      selected,
      event.key,
    );
    if (next === null) return;
    event.preventDefault();
    onSelect(next);
    document.getElementById(`${id}-${next}`)?.focus();
  };
  const shown = tabs.find((tab) => tab.id === selected);
  return (
    <div className={`ui-tabs ui-tabs-${look}`}>
      <div className="ui-tabs-head">
        <div role="tablist" aria-label={label} className="ui-tab-list">
          {tabs.map((tab) => {
            const isSelected = tab.id === selected;
            return (
              <button
                key={tab.id}
                id={`${id}-${tab.id}`}
                type="button"
                role="tab"
                aria-selected={isSelected}
                aria-controls={isSelected ? `${id}-panel` : undefined}
                tabIndex={isSelected ? 0 : -1}
                className="ui-tab"
                onClick={() => onSelect(tab.id)}
                onKeyDown={move}
              >
                {tab.label}
              </button>
            );
          })}
        </div>
        {end && <div className="ui-actions">{end}</div>}
      </div>
      {shown && (
        <div
          key={shown.id}
          id={`${id}-panel`}
          role="tabpanel"
          aria-labelledby={`${id}-${shown.id}`}
          className="ui-tab-panel"
        >
          {shown.content}
        </div>
      )}
    </div>
  );
}
