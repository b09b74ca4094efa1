import type { ReactNode } from 'react';
import { Tabs as AriaTabs, Tab, TabList, TabPanel } from 'react-aria-components';
import './tabs.css';

export interface TabEntry<Id extends string> {
  readonly id: Id;
  readonly label: ReactNode;
  readonly content: ReactNode;
}

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
  return (
    <AriaTabs
      className={`ui-tabs ui-tabs-${look}`}
      selectedKey={selected}
      onSelectionChange={(key) => onSelect(key as Id)}
    >
      <div className="ui-tabs-head">
        <TabList aria-label={label} className="ui-tab-list">
          {tabs.map(({ id, label: text }) => (
            <Tab key={id} id={id} className="ui-tab">
              {text}
            </Tab>
          ))}
        </TabList>
        {end && <div className="ui-actions">{end}</div>}
      </div>
      {tabs.map(({ id, content }) => (
        <TabPanel key={id} id={id} className="ui-tab-panel">
          {content}
        </TabPanel>
      ))}
    </AriaTabs>
  );
}
