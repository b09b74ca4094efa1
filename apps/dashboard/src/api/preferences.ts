/** The choices of the account for the dashboard, and how they act in this browser. */
import type { Preferences } from '@gptj-cloud/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { setDensity } from '../ui/density.ts';
import { setSingleKeys } from '../ui/shortcuts.ts';
import { setAccountTheme, setTheme } from '../ui/theme.ts';
import { cloud } from './cloud.ts';
import { changeUser, useSession } from './session.ts';

type Choices = Partial<Pick<Preferences, 'theme' | 'density' | 'singleKeyShortcuts'>>;

/** Let the preferences of the account act, whenever they are read or changed. */
export function usePreferencesOfAccount(): void {
  const { theme, density, singleKeyShortcuts } = useSession().user.preferences;
  useEffect(() => {
    setAccountTheme(theme ?? 'system');
    setDensity(density ?? 'comfortable');
    setSingleKeys(singleKeyShortcuts ?? true);
  }, [theme, density, singleKeyShortcuts]);
}

/** Change some of them. A theme that this browser had of its own ends. */
export function useChangePreferences() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (preferences: Choices) => cloud().users.changeProfile({ preferences }),
    onSuccess: (user, { theme }) => {
      if (theme !== undefined) setTheme('system');
      changeUser(queries, user);
    },
  });
}
