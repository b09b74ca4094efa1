import { Outlet, useMatches, useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useMemo, useState } from 'react';
import { useIsConfirmationWanted } from '../api/confirmation.ts';
import { useGate } from '../api/gate.ts';
import { usePreferencesOfAccount } from '../api/preferences.ts';
import { useSession, useSignOut } from '../api/session.ts';
import { type Command, useCommands } from '../ui/commands.ts';
import { type Shortcut, useShortcuts } from '../ui/shortcuts.ts';
import { setTheme } from '../ui/theme.ts';
import { BottomBar } from './bottom-bar.tsx';
import { MaintenanceBar } from './maintenance-bar.tsx';
import { ADMIN_PLACE, MAIN_PLACES, MODEL_PLACES, PROJECT_PLACES } from './places.ts';
import { SideBar } from './side-bar.tsx';
import { TopBar } from './top-bar.tsx';
import './shell.css';

const CommandPalette = lazy(async () => ({ default: (await import('../ui/command-palette.tsx')).CommandPalette }));
const Help = lazy(async () => ({ default: (await import('./help.tsx')).Help }));
const GatePage = lazy(async () => ({ default: (await import('./gate-page.tsx')).GatePage }));
const ConfirmationDialog = lazy(async () => ({
  default: (await import('./confirmation-dialog.tsx')).ConfirmationDialog,
}));
const SessionDialog = lazy(async () => ({ default: (await import('./session-dialog.tsx')).SessionDialog }));

type Overlay = 'none' | 'palette' | 'help';

/** Side bar, top bar, and the page between them; on a phone a bar at the bottom. */
export function Shell() {
  const gate = useGate();
  usePreferencesOfAccount();
  const isConfirmationWanted = useIsConfirmationWanted();
  const [overlay, setOverlay] = useState<Overlay>('none');
  const matches = useMatches();
  const isFull = matches.some(({ staticData }) => staticData.isFull);
  const { project } = useSearch({ from: '__root__' });
  usePlaces(setOverlay);
  const close = (): void => setOverlay('none');
  return (
    <div className={isFull ? 'shell shell-full' : 'shell'}>
      <a className="shell-skip" href="#main">
        Skip to the page
      </a>
      <SideBar />
      <div className="shell-body">
        <TopBar onPalette={() => setOverlay('palette')} onHelp={() => setOverlay('help')} />
        <MaintenanceBar />
        {/* Another project is another page: no state of the former one stays. */}
        <main id="main" className="shell-main" key={project ?? ''} tabIndex={-1}>
          <Suspense>{gate === 'unverified' || gate === 'disabled' ? <GatePage gate={gate} /> : <Outlet />}</Suspense>
        </main>
      </div>
      <BottomBar />
      <Suspense>
        {overlay === 'palette' && <CommandPalette isOpen onClose={close} />}
        {overlay === 'help' && <Help onClose={close} />}
        {isConfirmationWanted && <ConfirmationDialog />}
        {gate === 'ended' && <SessionDialog />}
      </Suspense>
    </div>
  );
}

/** Keys and commands that lead to every page. */
function usePlaces(setOverlay: (overlay: Overlay) => void): void {
  const navigate = useNavigate();
  const signOut = useSignOut();
  const { role } = useSession().user;
  const shortcuts = useMemo(
    (): readonly Shortcut[] => [
      ...[...MAIN_PLACES, ...PROJECT_PLACES].flatMap(({ to, title, keys }) =>
        keys === undefined ? [] : [{ keys, label: title, group: 'Go to', run: () => void navigate({ to }) }],
      ),
      { keys: 'mod+k', label: 'Find a page or a command', group: 'Everywhere', run: () => setOverlay('palette') },
      { keys: '?', label: 'Show these keys', group: 'Everywhere', run: () => setOverlay('help') },
    ],
    [navigate, setOverlay],
  );
  useShortcuts(shortcuts);
  const commands = useMemo((): readonly Command[] => {
    const places = [...MAIN_PLACES, ...MODEL_PLACES, ...PROJECT_PLACES, ...(role === 'owner' ? [ADMIN_PLACE] : [])];
    return [
      ...places.map(({ to, title, icon, keys }) => ({
        id: `go-${to}`,
        label: title,
        group: 'Go to',
        icon,
        ...(keys && { keys }),
        run: () => void navigate({ to }),
      })),
      {
        id: 'go-account',
        label: 'Account',
        group: 'Go to',
        icon: 'person',
        run: () => void navigate({ to: '/account' }),
      },
      {
        id: 'docs',
        label: 'API reference',
        group: 'Go to',
        icon: 'book',
        words: 'docs documentation openapi',
        run: () => window.open('/docs', '_blank', 'noopener'),
      },
      { id: 'keys', label: 'Keys', group: 'Settings', icon: 'keyboard', keys: '?', run: () => setOverlay('help') },
      { id: 'light', label: 'Light theme', group: 'Settings', icon: 'sun', run: () => setTheme('light') },
      { id: 'dark', label: 'Dark theme', group: 'Settings', icon: 'moon', run: () => setTheme('dark') },
      { id: 'system', label: 'Theme of the system', group: 'Settings', icon: 'half', run: () => setTheme('system') },
      { id: 'sign-out', label: 'Sign out', group: 'Settings', icon: 'signOut', run: () => void signOut() },
    ];
  }, [navigate, setOverlay, signOut, role]);
  useCommands(commands);
}
