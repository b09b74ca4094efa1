import {
  Autocomplete,
  Dialog,
  Header,
  Input,
  Menu,
  MenuItem,
  MenuSection,
  Modal,
  ModalOverlay,
  SearchField,
  useFilter,
} from 'react-aria-components';
import { type Command, useAllCommands } from './commands.ts';
import { Icon } from './icons.tsx';
import { Keys } from './keys.tsx';
import './command-palette.css';

/** All commands of the page behind one search field. */
export function CommandPalette({ isOpen, onClose }: { readonly isOpen: boolean; readonly onClose: () => void }) {
  const commands = useAllCommands();
  const { contains } = useFilter({ sensitivity: 'base' });
  const groups = groupsOf(commands);
  return (
    <ModalOverlay
      isOpen={isOpen}
      isDismissable
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      className="ui-shade ui-palette-shade"
    >
      <Modal className="ui-modal ui-palette">
        <Dialog className="ui-palette-dialog" aria-label="Commands">
          <Autocomplete filter={contains}>
            <SearchField aria-label="Find a page or a command" className="ui-palette-field" autoFocus>
              <Icon name="search" />
              <Input placeholder="Find a page or a command" />
            </SearchField>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls needs the focus for the keyboard. */}
            <section className="ui-palette-scroll" aria-label="Commands found" tabIndex={0}>
              <Menu
                className="ui-palette-list"
                aria-label="Commands"
                renderEmptyState={() => <p className="ui-palette-empty">No command has these letters.</p>}
              >
                {groups.map(([group, entries]) => (
                  <MenuSection key={group} aria-label={group}>
                    <Header className="ui-menu-head">{group}</Header>
                    {entries.map(({ id, label, icon, keys, words, run }) => (
                      <MenuItem
                        key={id}
                        id={id}
                        textValue={words === undefined ? label : `${label} ${words}`}
                        className="ui-menu-item"
                        onAction={() => {
                          onClose();
                          run();
                        }}
                      >
                        {icon && <Icon name={icon} />}
                        <span className="ui-cut">{label}</span>
                        {keys !== undefined && (
                          <span className="ui-menu-note">
                            <Keys keys={keys} />
                          </span>
                        )}
                      </MenuItem>
                    ))}
                  </MenuSection>
                ))}
              </Menu>
            </section>
          </Autocomplete>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

/** Groups in the order of their first command. */
function groupsOf(commands: readonly Command[]): readonly (readonly [string, readonly Command[]])[] {
  const names = [...new Set(commands.map(({ group }) => group))];
  return names.map((name) => [name, commands.filter(({ group }) => group === name)]);
}
