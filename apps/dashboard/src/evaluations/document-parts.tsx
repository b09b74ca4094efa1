/** What the documents of one evaluation and those of two have in common. */
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Pager } from '../ui/pager.tsx';
import { Select } from '../ui/select.tsx';
import { StateBadge } from '../ui/state-badge.tsx';
import { EmptyState, QueryView, Skeleton } from '../ui/states.tsx';
import { DOCUMENTS_PER_PAGE } from './evaluation-queries.ts';

/** Chooses which accuracy right and wrong mean. */
export function RightBySelect({
  isNormalized,
  onChange,
}: {
  readonly isNormalized: boolean;
  readonly onChange: (by: 'acc_norm' | undefined) => void;
}) {
  return (
    <Select
      label="Right by"
      isLabelHidden
      size="small"
      value={isNormalized ? 'acc_norm' : 'acc'}
      onChange={(value) => onChange(value === 'acc_norm' ? value : undefined)}
      choices={[
        { id: 'acc', label: 'Right by acc' },
        { id: 'acc_norm', label: 'Right by acc_norm' },
      ]}
    />
  );
}

/** A page of documents, one below the other. */
export function DocumentPages<Each>({
  query,
  skip,
  onSkip,
  empty,
  children,
}: {
  readonly query: UseQueryResult<{ readonly items: readonly Each[]; readonly total: number }>;
  readonly skip: number;
  readonly onSkip: (skip: number) => void;
  readonly empty: string;
  readonly children: (each: Each) => ReactNode;
}) {
  return (
    <QueryView query={query} skeleton={<Skeleton rows={8} height="2.75rem" />}>
      {({ items, total }) =>
        items.length === 0 ? (
          <EmptyState text={empty} />
        ) : (
          <>
            <ol className="evaluations-documents">{items.map(children)}</ol>
            <Pager label="Pages of documents" skip={skip} limit={DOCUMENTS_PER_PAGE} total={total} onSkip={onSkip} />
          </>
        )
      }
    </QueryView>
  );
}

/** A document that is opened for its text. */
export function DocumentPanel({
  id,
  texts: { context, choices },
  badge,
  score,
  children,
}: {
  readonly id: number;
  /** A context of null is not stored. */
  readonly texts: { readonly context: string | null; readonly choices: readonly string[] };
  readonly badge: { readonly state: string; readonly label: string } | null;
  readonly score: ReactNode;
  readonly children: ReactNode;
}) {
  const hasContext = context !== null && context !== '';
  return (
    <li>
      <details className="ui-panel evaluations-document">
        <summary>
          <span className="evaluations-id ui-number">Document {id}</span>
          {badge !== null && <StateBadge {...badge} />}
          {score}
          <span className="evaluations-start ui-cut">{(hasContext ? context : (choices[0] ?? '')).trim()}</span>
        </summary>
        {hasContext && <p className="evaluations-text">{context}</p>}
        {context === null && <p className="ui-muted">The texts of this document are not stored.</p>}
        {children}
      </details>
    </li>
  );
}

/** What follows each choice; nothing where nothing does. */
export function Continuation({ text }: { readonly text: string | null }) {
  if (text === null) return null;
  return (
    <p>
      <span className="ui-muted">Continuation of each: </span>
      <span className="evaluations-text">{text}</span>
    </p>
  );
}
