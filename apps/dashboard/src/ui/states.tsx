import type { UseQueryResult } from '@tanstack/react-query';
import { type ReactNode, useEffect, useState } from 'react';
import { ErrorPanel } from './error-panel.tsx';
import { isSessionEnded } from './problem.ts';
import './states.css';

/** Nothing here yet: one sentence, one action, and a snippet where code makes the first one. */
export function EmptyState({
  text,
  action,
  children,
}: {
  readonly text: ReactNode;
  readonly action?: ReactNode;
  readonly children?: ReactNode;
}) {
  return (
    <div className="ui-empty">
      <p>{text}</p>
      {action}
      {children && <div className="ui-empty-more">{children}</div>}
    </div>
  );
}

const PATIENCE_MS = 150;

/** Grey rows of the final size, after 150 ms: what loads faster never flashes. */
export function Skeleton({ rows = 3, height = '1.25rem' }: { readonly rows?: number; readonly height?: string }) {
  const isLate = useLate();
  return (
    <div className="ui-skeleton" aria-busy="true" data-late={isLate || undefined}>
      <span className="ui-hidden">Loading</span>
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the rows are alike.
        <span key={row} className="ui-skeleton-row" style={{ height, width: `${100 - ((row * 23) % 40)}%` }} />
      ))}
    </div>
  );
}

/**
 * A query's data, or its loading and error states. With data on the screen a failed renewal leaves it there, below the error.
 * `<QueryView query={runs} skeleton={<Skeleton rows={8} />}>{(page) => …}</QueryView>`
 */
export function QueryView<Data>({
  query,
  skeleton = <Skeleton />,
  children,
}: {
  readonly query: Pick<UseQueryResult<Data>, 'data' | 'error' | 'refetch'>;
  readonly skeleton?: ReactNode;
  readonly children: (data: Data) => ReactNode;
}) {
  const { data, error, refetch } = query;
  const retry = (): void => {
    refetch().catch(() => undefined);
  };
  // The dialog that asks to sign in says it; afterwards the query is sent again.
  const shownError = isSessionEnded(error) ? null : error;
  if (data === undefined) return shownError === null ? skeleton : <ErrorPanel error={shownError} onRetry={retry} />;
  return (
    <>
      {shownError !== null && <ErrorPanel error={shownError} onRetry={retry} />}
      {children(data)}
    </>
  );
}

function useLate(): boolean {
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, []);
  return isLate;
}
