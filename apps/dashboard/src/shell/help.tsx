import { useChangePreferences } from '../api/preferences.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Keys } from '../ui/keys.tsx';
import { setSingleKeys, useActiveShortcuts, useSingleKeys } from '../ui/shortcuts.ts';
import { Switch } from '../ui/switch.tsx';

/** All keys that work on this page. */
export function Help({ onClose }: { readonly onClose: () => void }) {
  const shortcuts = useActiveShortcuts();
  const singleKeys = useSingleKeys();
  const change = useChangePreferences();
  const choose = (singleKeyShortcuts: boolean): void => {
    setSingleKeys(singleKeyShortcuts);
    change.mutate({ singleKeyShortcuts });
  };
  const groups = [...new Set(shortcuts.map(({ group }) => group ?? 'This page'))];
  return (
    <Dialog title="Keys" isOpen onClose={onClose} wide>
      <div className="shell-help">
        {groups.map((name) => (
          <section key={name}>
            <h3>{name}</h3>
            <dl>
              {shortcuts
                .filter(({ group, label }) => (group ?? 'This page') === name && label !== undefined)
                .map(({ keys, label }) => (
                  <div key={keys}>
                    <dt>{label}</dt>
                    <dd>
                      <Keys keys={keys} />
                    </dd>
                  </div>
                ))}
            </dl>
          </section>
        ))}
      </div>
      <Switch isSelected={singleKeys} onChange={choose} hint="Switch them off if you dictate text.">
        Keys without Control, Command or Alt
      </Switch>
    </Dialog>
  );
}
