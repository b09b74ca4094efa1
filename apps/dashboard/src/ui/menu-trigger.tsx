import { Fragment } from 'react';
import {
  Menu as AriaMenu,
  MenuTrigger as AriaMenuTrigger,
  Header,
  MenuItem,
  MenuSection,
  Popover,
  Separator,
} from 'react-aria-components';
import { Icon } from './icons.tsx';
import type { MenuProps } from './menu.tsx';
import './overlay.css';

/** The button of a `Menu`, with the menu that it opens. */
export function MenuTrigger({
  trigger,
  label,
  groups,
  placement = 'bottom start',
  isFirstOpen,
}: MenuProps & { readonly isFirstOpen: boolean }) {
  const shown = groups.filter(({ entries }) => entries.length > 0);
  return (
    <AriaMenuTrigger defaultOpen={isFirstOpen}>
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
    </AriaMenuTrigger>
  );
}
