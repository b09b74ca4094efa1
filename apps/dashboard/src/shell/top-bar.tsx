import { Link, useLocation, useMatches, useNavigate } from '@tanstack/react-router';
import { Button } from 'react-aria-components';
import { useHealth } from '../api/health.ts';
import { useProject } from '../api/project.ts';
import { useSession, useSignOut } from '../api/session.ts';
import { Icon } from '../ui/icons.tsx';
import { Keys } from '../ui/keys.tsx';
import { Menu } from '../ui/menu.tsx';
import { setTheme, type Theme, useTheme } from '../ui/theme.ts';
import { Tip } from '../ui/tooltip.tsx';
import { OfflineBar } from './offline-bar.tsx';

const NEXT_THEME: Readonly<Record<Theme, { readonly theme: Theme; readonly label: string }>> = {
  system: { theme: 'light', label: 'Theme: as the system' },
  light: { theme: 'dark', label: 'Theme: light' },
  dark: { theme: 'system', label: 'Theme: dark' },
};

export function TopBar({ onPalette, onHelp }: { readonly onPalette: () => void; readonly onHelp: () => void }) {
  const { user } = useSession();
  const navigate = useNavigate();
  const signOut = useSignOut();
  const theme = useTheme();
  return (
    <header className="shell-top">
      <OfflineBar />
      <Breadcrumb />
      <Button className="shell-find" onPress={onPalette}>
        <Icon name="search" />
        <span className="shell-find-word">
          Find<span className="ui-hidden"> a page or a command</span>
        </span>
        <Keys keys="mod+k" />
      </Button>
      <HealthDot />
      <Menu
        label="Account"
        placement="bottom end"
        trigger={
          <Button className="shell-account" aria-label={`Account of ${user.username}`}>
            <span aria-hidden="true">{user.username.slice(0, 1).toUpperCase()}</span>
          </Button>
        }
        groups={[
          {
            title: user.username,
            entries: [
              { id: 'account', label: 'Account', icon: 'person', onAction: () => void navigate({ to: '/account' }) },
              {
                id: 'security',
                label: 'Security',
                icon: 'lock',
                onAction: () => void navigate({ to: '/account/security' }),
              },
            ],
          },
          {
            title: 'This browser',
            entries: [
              {
                id: 'theme',
                label: NEXT_THEME[theme].label,
                icon: theme === 'dark' ? 'moon' : theme === 'light' ? 'sun' : 'half',
                onAction: () => setTheme(NEXT_THEME[theme].theme),
              },
              { id: 'keys', label: 'Keys', icon: 'keyboard', note: '?', onAction: onHelp },
            ],
          },
          {
            title: 'Help',
            entries: [
              {
                id: 'docs',
                label: 'API reference',
                icon: 'book',
                onAction: () => window.open('/docs', '_blank', 'noopener'),
              },
            ],
          },
          { entries: [{ id: 'sign-out', label: 'Sign out', icon: 'signOut', onAction: () => void signOut() }] },
        ]}
      />
    </header>
  );
}

function Breadcrumb() {
  const matches = useMatches();
  const project = useProject();
  const { pathname } = useLocation();
  // The account and the server are the same in every project.
  const isInProject = !/^\/(?:account|admin)(?:\/|$)/.test(pathname);
  const { title, parent } = matches.at(-1)?.staticData ?? {};
  // All of it at once: a name that comes later would move the title.
  if (isInProject && project === undefined) return <nav className="shell-path" aria-label="Breadcrumb" />;
  return (
    <nav className="shell-path" aria-label="Breadcrumb">
      <ol>
        {isInProject && <li className="ui-cut">{project?.name}</li>}
        {parent && (
          <li>
            <Link to={parent.to}>{parent.title}</Link>
          </li>
        )}
        <li aria-current="page">{title ?? 'Not found'}</li>
      </ol>
    </nav>
  );
}

const HEALTH = {
  unknown: { tone: 'wait', text: 'Asking the server' },
  ready: { tone: 'ok', text: 'The server is ready' },
  'not-ready': { tone: 'warn', text: 'The server is not ready' },
  lost: { tone: 'bad', text: 'The server does not answer' },
} as const;

function HealthDot() {
  const { state, reason, checkNow } = useHealth();
  const { tone, text } = HEALTH[state];
  const full = reason === null ? text : `${text}: ${reason}`;
  return (
    <Tip text={full}>
      <Button className={`shell-health shell-health-${tone}`} aria-label={`${full}. Check now`} onPress={checkNow} />
    </Tip>
  );
}
