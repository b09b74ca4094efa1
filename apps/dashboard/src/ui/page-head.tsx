import type { ReactNode } from 'react';

/** The heading of a page, its title in the browser, and its actions. The shell moves the focus here after a navigation. */
export function PageHead({
  title,
  children,
  beside,
}: {
  readonly title: string;
  /** Actions at the end of the row. */
  readonly children?: ReactNode;
  /** Beside the title: a badge, an id. */
  readonly beside?: ReactNode;
}) {
  return (
    <header className="ui-page-head">
      <title>{`${title} · gptj-cloud`}</title>
      <div className="ui-actions">
        <h1 tabIndex={-1}>{title}</h1>
        {beside}
      </div>
      {children && <div className="ui-actions">{children}</div>}
    </header>
  );
}
