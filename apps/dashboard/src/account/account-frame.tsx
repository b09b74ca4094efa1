import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { PageHead } from '../ui/page-head.tsx';
import './account.css';

const PAGES = [
  { to: '/account', title: 'Account' },
  { to: '/account/security', title: 'Security' },
  { to: '/account/sessions', title: 'Sessions' },
] as const;

/** The heading of the pages of the account, and the way between them. */
export function AccountFrame({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <div className="ui-page account-page">
      <PageHead title={title} />
      <nav className="account-pages" aria-label="Pages of the account">
        {PAGES.map((page) => (
          <Link key={page.to} to={page.to} activeOptions={{ exact: true }} className="account-link">
            {page.title}
          </Link>
        ))}
      </nav>
      {children}
    </div>
  );
}

/** A subject of the page: its name and a sentence at the left, its controls at the right. */
export function Subject({
  title,
  note,
  children,
}: {
  readonly title: string;
  readonly note?: ReactNode;
  readonly children: ReactNode;
}) {
  return (
    <section className="ui-panel account-subject">
      <div className="account-about">
        <h2>{title}</h2>
        {note && <div className="ui-muted">{note}</div>}
      </div>
      <div className="ui-stack">{children}</div>
    </section>
  );
}
