import { Link } from '@tanstack/react-router';
import { useSession } from '../api/session.ts';
import { Icon } from '../ui/icons.tsx';
import { ADMIN_PLACE, MAIN_PLACES, MODEL_PLACES, type Place, PROJECT_PLACES } from './places.ts';
import { ProjectSwitcher } from './project-switcher.tsx';

export function SideBar() {
  const { user } = useSession();
  return (
    <nav className="shell-side" aria-label="Pages">
      <Link to="/" className="shell-brand">
        <Brand />
        gptj-cloud
      </Link>
      <ProjectSwitcher />
      <Places places={[...MAIN_PLACES, ...MODEL_PLACES]} />
      <p className="shell-group" id="shell-project">
        Project
      </p>
      <Places places={PROJECT_PLACES} />
      {user.role === 'owner' && (
        <>
          <p className="shell-group">Server</p>
          <Places places={[ADMIN_PLACE]} />
        </>
      )}
    </nav>
  );
}

function Places({ places }: { readonly places: readonly Place[] }) {
  return (
    <ul>
      {places.map(({ to, title, icon }) => (
        <li key={to}>
          <Link
            to={to}
            className="shell-place"
            activeOptions={{ exact: to === '/', includeSearch: false }}
            activeProps={{ className: 'shell-place-active', 'aria-current': 'page' }}
          >
            <Icon name={icon} />
            {title}
          </Link>
        </li>
      ))}
    </ul>
  );
}

/** Lines of text and a caret: the mark of this server. */
function Brand() {
  return (
    <svg className="shell-mark" width="20" height="20" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" />
      <path d="M10 8.5h12M10 14h12M10 19.5h6M20.5 17v7" />
    </svg>
  );
}
