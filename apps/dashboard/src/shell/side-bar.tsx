import { Link } from '@tanstack/react-router';
import { useSession } from '../api/session.ts';
import { Icon } from '../ui/icons.tsx';
import { PageMark } from '../ui/page-mark.tsx';
import { ADMIN_PLACE, MAIN_PLACES, MODEL_PLACES, type Place, PROJECT_PLACES } from './places.ts';
import { ProjectSwitcher } from './project-switcher.tsx';

export function SideBar() {
  const { user } = useSession();
  return (
    <nav className="shell-side" aria-label="Pages">
      <Link to="/" className="shell-brand">
        <PageMark />
        gptj-cloud
      </Link>
      <ProjectSwitcher />
      <Places places={[...MAIN_PLACES, ...MODEL_PLACES]} />
      <p className="shell-group">Project</p>
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
