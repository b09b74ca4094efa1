import { useChangePreferences } from '../api/preferences.ts';
import { useSession } from '../api/session.ts';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { Select } from '../ui/select.tsx';
import { Switch } from '../ui/switch.tsx';
import { Subject } from './account-frame.tsx';

export function Appearance() {
  const { preferences } = useSession().user;
  const change = useChangePreferences();
  return (
    <Subject title="Appearance and keys" note="In every browser where you sign in.">
      <div className="account-pair">
        <Select
          label="Theme"
          value={preferences.theme ?? 'system'}
          onChange={(theme) => change.mutate({ theme })}
          choices={[
            { id: 'system', label: 'As the system' },
            { id: 'light', label: 'Light' },
            { id: 'dark', label: 'Dark' },
          ]}
        />
        <Select
          label="Density"
          value={preferences.density ?? 'comfortable'}
          onChange={(density) => change.mutate({ density })}
          choices={[
            { id: 'comfortable', label: 'Comfortable' },
            { id: 'compact', label: 'Compact' },
          ]}
        />
      </div>
      <Switch
        isSelected={preferences.singleKeyShortcuts ?? true}
        onChange={(singleKeyShortcuts) => change.mutate({ singleKeyShortcuts })}
        hint="Such as j and k in lists. Switch them off if you dictate: words would press them."
      >
        Keys without a modifier
      </Switch>
      {change.error !== null && <ErrorPanel error={change.error} />}
    </Subject>
  );
}
