import type { Evaluation } from '@gptj-cloud/sdk';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { ButtonLink } from '../ui/button.tsx';
import { CopyCode } from '../ui/copy-code.tsx';
import { DataTable, type TableColumn } from '../ui/data-table.tsx';
import { formatBytes, formatCount } from '../ui/formats.ts';
import { PageHead } from '../ui/page-head.tsx';
import { Pager } from '../ui/pager.tsx';
import { RelativeTime } from '../ui/relative-time.tsx';
import { EmptyState, QueryView, Skeleton } from '../ui/states.tsx';
import { EVALUATIONS_PER_PAGE, evaluationsQuery } from './evaluation-queries.ts';
import './evaluations.css';

const COLUMNS: readonly TableColumn<Evaluation>[] = [
  {
    id: 'name',
    name: 'Evaluation',
    isTitle: true,
    width: '2fr',
    cell: ({ name }) => <span className="evaluations-name">{name}</span>,
  },
  {
    id: 'tasks',
    name: 'Tasks',
    width: '2fr',
    cell: ({ tasks }) => [...new Set(tasks.map(({ task }) => task))].join(', '),
  },
  { id: 'documents', name: 'Documents', width: '9rem', align: 'end', cell: documentsOf },
  { id: 'size', name: 'Stored', width: '7rem', align: 'end', cell: ({ size }) => formatBytes(size) },
  { id: 'created', name: 'Created', width: '8rem', cell: ({ createdAt }) => <RelativeTime at={createdAt} /> },
];

export function EvaluationsPage() {
  const navigate = useNavigate();
  const [skip, setSkip] = useState(0);
  const evaluations = useQuery(evaluationsQuery(skip));
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  // The list begins with the latest: the earlier one is the first of a comparison.
  const chosen = (evaluations.data?.items ?? []).filter(({ id }) => selected.has(id)).toReversed();
  return (
    <div className="ui-page">
      <PageHead title="Evaluations">
        {(evaluations.data?.total ?? 0) > 1 && (
          <ButtonLink to="/evaluations/compare" search={pairOf(chosen)} icon="columns">
            {chosen.length === 2 ? 'Compare the two selected' : 'Compare'}
          </ButtonLink>
        )}
      </PageHead>
      <QueryView query={evaluations} skeleton={<Skeleton rows={6} height="2.75rem" />}>
        {({ items, total }) => (
          <>
            <DataTable
              label="Evaluations"
              columns={COLUMNS}
              items={items}
              idOf={({ id }) => id}
              selected={selected}
              onSelect={setSelected}
              onOpen={({ id }) => void navigate({ to: '/evaluations/$evaluationId', params: { evaluationId: id } })}
              empty={
                <EmptyState text="No evaluation yet. The command line scores a model and stores the report here.">
                  <CopyCode tabs={[{ id: 'sh', label: 'Shell', code: SNIPPET }]} />
                </EmptyState>
              }
            />
            <Pager
              label="Pages of evaluations"
              skip={skip}
              limit={EVALUATIONS_PER_PAGE}
              total={total}
              onSkip={setSkip}
            />
          </>
        )}
      </QueryView>
    </div>
  );
}

const SNIPPET = `gptj login --url ${window.location.origin}
gptj eval --store`;

function pairOf([before, after]: readonly Evaluation[]): { readonly before?: string; readonly after?: string } {
  return {
    ...(before === undefined ? {} : { before: before.id }),
    ...(after === undefined ? {} : { after: after.id }),
  };
}

function documentsOf({ tasks, isComplete }: Evaluation): string {
  const sum = (of: 'received' | 'documentCount'): number => tasks.reduce((all, task) => all + task[of], 0);
  const all = formatCount(sum('documentCount'));
  return isComplete ? all : `${formatCount(sum('received'))} of ${all}`;
}
