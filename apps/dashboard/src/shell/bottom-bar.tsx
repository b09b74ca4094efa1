import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useSession, useSignOut } from '../api/session.ts';
import { Button } from '../ui/button.tsx';
import { Sheet } from '../ui/dialog.tsx';
import { Icon } from '../ui/icons.tsx';
import { ADMIN_PLACE, MAIN_PLACES, MODEL_PLACES, PROJECT_PLACES } from './places.ts';
import { ProjectSwitcher } from './project-switcher.tsx';

/** Of a phone: four pages, and a sheet with all others. */
export function BottomBar() {
  const [isOpen, setOpen] = useState(false);
  const { user } = useSession();
  const signOut = useSignOut();
  const navigate = useNavigate();
  const places = [...MODEL_PLACES, ...PROJECT_PLACES, ...(user.role === 'owner' ? [ADMIN_PLACE] : [])];
  const go = (to: (typeof places)[number]['to'] | '/account'): void => {
    setOpen(false);
    void navigate({ to });
  };
  return (
    <nav className="shell-bottom" aria-label="Pages">
      {MAIN_PLACES.map(({ to, title, icon }) => (
        <Link
          key={to}
          to={to}
          className="shell-tab"
          activeOptions={{ exact: to === '/', includeSearch: false }}
          activeProps={{ className: 'shell-tab-active', 'aria-current': 'page' }}
        >
          <Icon name={icon} size={20} />
          {title}
        </Link>
      ))}
      <button type="button" className="shell-tab" aria-haspopup="dialog" onClick={() => setOpen(true)}>
        <Icon name="more" size={20} />
        More
      </button>
      <Sheet title="More" isOpen={isOpen} onClose={() => setOpen(false)}>
        <ProjectSwitcher />
        <ul className="shell-more">
          {places.map(({ to, title, icon }) => (
            <li key={to}>
              <button type="button" className="shell-place" onClick={() => go(to)}>
                <Icon name={icon} />
                {title}
              </button>
            </li>
          ))}
          <li>
            <button type="button" className="shell-place" onClick={() => go('/account')}>
              <Icon name="person" />
              Account
            </button>
          </li>
        </ul>
        <Button icon="signOut" onPress={() => void signOut()}>
          Sign out
        </Button>
      </Sheet>
    </nav>
  );
}
