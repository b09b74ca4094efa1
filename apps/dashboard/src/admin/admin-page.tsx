import { Link } from '@tanstack/react-router';
import { type ReactNode, useLayoutEffect, useRef } from 'react';
import { useSession } from '../api/session.ts';
import { ButtonLink } from '../ui/button.tsx';
import { PageHead } from '../ui/page-head.tsx';
import { EmptyState } from '../ui/states.tsx';
import './admin.css';

const PAGES = [
  { to: '/admin', title: 'Overview' },
  { to: '/admin/users', title: 'Users' },
  { to: '/admin/queue', title: 'Queue' },
  { to: '/admin/plans', title: 'Plans' },
  { to: '/admin/models', title: 'Models' },
  { to: '/admin/audit', title: 'Audit log' },
  { to: '/admin/server', title: 'Server' },
] as const;

/** The frame of the pages for owners of the server. Others get one page that says who can help. */
export function AdminPage({
  title,
  actions,
  children,
}: {
  readonly title: string;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}) {
  const { user } = useSession();
  const pages = useRef<HTMLElement>(null);
  // On a phone the row is wider than the window.
  useLayoutEffect(() => {
    pages.current?.querySelector('[aria-current]')?.scrollIntoView({ inline: 'center', block: 'nearest' });
  }, []);
  if (user.role !== 'owner') {
    return (
      <div className="ui-page">
        <PageHead title="For owners of the server" />
        <EmptyState
          text="Only owners of this server see its users, queue and settings. Ask one of them for what you need."
          action={<ButtonLink to="/">Go to Home</ButtonLink>}
        />
      </div>
    );
  }
  return (
    <div className="ui-page">
      <PageHead title={title}>{actions}</PageHead>
      <nav ref={pages} className="admin-pages" aria-label="Pages of the server">
        {PAGES.map(({ to, title: name }) => (
          <Link
            key={to}
            to={to}
            className="admin-place"
            activeOptions={{ exact: true, includeSearch: false }}
            activeProps={{ className: 'admin-place-active', 'aria-current': 'page' }}
          >
            {name}
          </Link>
        ))}
      </nav>
      {children}
    </div>
  );
}
