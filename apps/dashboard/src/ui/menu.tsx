import { Fragment, type ReactElement } from 'react';
import {
  Menu as AriaMenu,
  Header,
  MenuItem,
  MenuSection,
  MenuTrigger,
  Popover,
  Separator,
} from 'react-aria-components';
import { Icon, type IconName } from './icons.tsx';
import './overlay.css';

export interface MenuEntry {
  readonly id: string;
  readonly label: string;
  readonly icon?: IconName;
  /** Small text at the end of the row, such as a key. */
  readonly note?: string;
  readonly isDanger?: boolean;
  readonly isDisabled?: boolean;
  readonly onAction: () => void;
}

export interface MenuGroup {
  readonly title?: string;
  readonly entries: readonly MenuEntry[];
}

/** A button that opens a menu: `<Menu trigger={<IconButton …/>} label="Actions" groups={[{ entries }]} />`. */
export function Menu({
  trigger,
  label,
  groups,
  placement = 'bottom start',
}: {
  readonly trigger: ReactElement;
  readonly label: string;
  readonly groups: readonly MenuGroup[];
  readonly placement?: 'bottom start' | 'bottom end' | 'top start' | 'top end';
}) {
  const shown = groups.filter(({ entries }) => entries.length > 0);
  return (
    <MenuTrigger>
      {trigger}
      <Popover className="ui-popover" placement={placement} offset={4}>
        <AriaMenu className="ui-menu" aria-label={label}>
          {shown.map((group, index) => (
            <Fragment key={group.title ?? `${index}`}>
              {index > 0 && <Separator className="ui-menu-rule" />}
              <MenuSection aria-label={group.title ?? label}>
                {group.title !== undefined && <Header className="ui-menu-head">{group.title}</Header>}
                {group.entries.map((entry) => (
                  <MenuItem
                    key={entry.id}
                    id={entry.id}
                    textValue={entry.label}
                    isDisabled={entry.isDisabled ?? false}
                    onAction={entry.onAction}
                    className={`ui-menu-item${entry.isDanger ? ' ui-menu-item-danger' : ''}`}
                  >
                    {entry.icon && <Icon name={entry.icon} />}
                    <span className="ui-cut">{entry.label}</span>
                    {entry.note !== undefined && <span className="ui-menu-note">{entry.note}</span>}
                  </MenuItem>
                ))}
              </MenuSection>
            </Fragment>
          ))}
        </AriaMenu>
      </Popover>
    </MenuTrigger>
  );
}
