import type { EvaluationComparison } from '@gptj-cloud/sdk';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { FilterBar } from '../ui/filter-bar.tsx';
import { Select } from '../ui/select.tsx';
import { ChangeView } from './change-view.tsx';
import { CHANGES, type ComparisonSearch } from './comparison-search.ts';
import { DocumentPages, RightBySelect } from './document-parts.tsx';
import { changesQuery } from './evaluation-queries.ts';
import { nameOf } from './task-changes.tsx';

const route = getRouteApi('/evaluations/compare');

/** The documents of a task, those that changed most first, opened one by one. */
export function ChangeBrowser({
  tasks,
  comparison,
}: {
  /** Those with documents: at least one. */
  readonly tasks: EvaluationComparison['tasks'];
  readonly comparison: EvaluationComparison;
}) {
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/evaluations/compare' });
  const [skip, setSkip] = useState(0);
  const { before, after } = comparison;
  const task = tasks.find(({ index }) => String(index) === search.task) ?? tasks[0]!;
  const metrics = task.accuracies.map(({ metric }) => metric);
  const hasNormalized = metrics.includes('acc_norm');
  const isNormalized = hasNormalized && (search.by === 'acc_norm' || metrics.length === 1);
  const changes = useQuery(
    changesQuery(before.id, after.id, {
      task: task.index,
      skip,
      change: metrics.length === 0 ? undefined : search.change,
      by: isNormalized ? 'acc_norm' : 'acc',
    }),
  );
  const change = (next: ComparisonSearch): void => {
    setSkip(0);
    void navigate({ search: (now) => ({ ...now, ...next }), replace: true, resetScroll: false });
  };
  return (
    <section className="ui-stack" aria-labelledby="evaluations-documents">
      <h2 id="evaluations-documents">Documents, those that changed most first</h2>
      <FilterBar count={search.change === undefined ? 0 : 1} onClear={() => change({ change: undefined })}>
        <Select
          label="Task"
          isLabelHidden
          size="small"
          value={String(task.index)}
          onChange={(value) => change({ task: value, change: undefined })}
          choices={tasks.map((each) => ({ id: String(each.index), label: nameOf(each) }))}
        />
        {metrics.length > 0 && (
          <Select
            label="Changes"
            isLabelHidden
            size="small"
            value={search.change ?? 'all'}
            onChange={(value) => change({ change: CHANGES.find((each) => each === value) })}
            choices={[
              { id: 'all', label: 'All documents' },
              { id: 'flipped', label: 'Flipped answers' },
              { id: 'gained', label: 'Right only after' },
              { id: 'lost', label: 'Right only before' },
            ]}
          />
        )}
        {metrics.length > 1 && hasNormalized && (
          <RightBySelect isNormalized={isNormalized} onChange={(by) => change({ by })} />
        )}
      </FilterBar>
      <DocumentPages
        query={changes}
        skip={skip}
        onSkip={setSkip}
        empty={
          search.change === undefined
            ? 'No document of this task is stored in both.'
            : 'No document of this task changed in this way.'
        }
      >
        {(each) => <ChangeView key={`${task.index} ${each.id}`} change={each} isNormalized={isNormalized} />}
      </DocumentPages>
    </section>
  );
}
