import type { ReactNode } from 'react';
import { PageMark } from '../ui/page-mark.tsx';
import './room.css';

/** The sheet of paper in the middle of all pages for users who are not signed in. */
export function SignInFrame({
  title,
  lead,
  children,
  foot,
}: {
  readonly title: string;
  readonly lead?: ReactNode;
  readonly children: ReactNode;
  /** Below the sheet: where else to go. */
  readonly foot?: ReactNode;
}) {
  return (
    <div className="sign-in">
      <title>{`${title} · gptj-cloud`}</title>
      <p className="sign-in-brand">
        <PageMark size={24} />
        gptj-cloud
      </p>
      <main className="sign-in-sheet">
        <h1 tabIndex={-1}>{title}</h1>
        {lead && <p className="ui-muted">{lead}</p>}
        {children}
      </main>
      {foot && <div className="sign-in-foot">{foot}</div>}
    </div>
  );
}
