import type { Evaluation, StoredEvaluationTask } from '@gptj-cloud/sdk';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { FilterBar } from '../ui/filter-bar.tsx';
import { Select } from '../ui/select.tsx';
import { DocumentPages, RightBySelect } from './document-parts.tsx';
import { DocumentView } from './document-view.tsx';
import { documentsQuery } from './evaluation-queries.ts';
import { ANSWERS, DOCUMENT_ORDERS, type EvaluationSearch } from './evaluation-search.ts';

const route = getRouteApi('/evaluations/$evaluationId');

/** The documents of a task, one below the other, opened one by one. */
export function DocumentBrowser({ evaluation }: { readonly evaluation: Evaluation }) {
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/evaluations/$evaluationId' });
  const [skip, setSkip] = useState(0);
  const index = Math.min(Number(search.task ?? 0), evaluation.tasks.length - 1);
  const task = evaluation.tasks[index]!;
  const { hasBoth, isNormalized, hasAnswers } = accuraciesOf(task, search);
  const documents = useQuery(
    documentsQuery(evaluation.id, {
      task: index,
      skip,
      order: search.order === undefined ? 'id:asc' : search.order === 'worst' ? 'margin:asc' : 'margin:desc',
      isRight: search.answers === undefined || !hasAnswers ? undefined : search.answers === 'right',
      by: isNormalized ? 'acc_norm' : 'acc',
    }),
  );
  const change = (next: EvaluationSearch): void => {
    setSkip(0);
    void navigate({ search: (before) => ({ ...before, ...next }), replace: true, resetScroll: false });
  };
  const filters = [search.answers, search.order].filter((each) => each !== undefined).length;
  return (
    <section className="ui-stack" aria-labelledby="evaluations-documents">
      <h2 id="evaluations-documents">Documents</h2>
      <FilterBar count={filters} onClear={() => change({ answers: undefined, order: undefined })}>
        <Select
          label="Task"
          isLabelHidden
          size="small"
          value={String(index)}
          onChange={(value) => change({ task: value, answers: undefined })}
          choices={evaluation.tasks.map(({ task: name, form }, at) => ({ id: String(at), label: `${name}, ${form}` }))}
        />
        {hasAnswers && (
          <Select
            label="Answers"
            isLabelHidden
            size="small"
            value={search.answers ?? 'all'}
            onChange={(value) => change({ answers: ANSWERS.find((each) => each === value) })}
            choices={[
              { id: 'all', label: 'All answers' },
              { id: 'right', label: 'Right answers' },
              { id: 'wrong', label: 'Wrong answers' },
            ]}
          />
        )}
        {hasBoth && <RightBySelect isNormalized={isNormalized} onChange={(by) => change({ by })} />}
        <Select
          label="Order"
          isLabelHidden
          size="small"
          value={search.order ?? 'place'}
          onChange={(value) => change({ order: DOCUMENT_ORDERS.find((each) => each === value) })}
          choices={[
            { id: 'place', label: 'In the order of the task' },
            { id: 'worst', label: 'Smallest margin first' },
            { id: 'best', label: 'Largest margin first' },
          ]}
        />
      </FilterBar>
      <DocumentPages
        query={documents}
        skip={skip}
        onSkip={setSkip}
        empty={
          search.answers === undefined
            ? 'No document of this task is stored yet.'
            : 'No document of this task has such an answer.'
        }
      >
        {(document) => <DocumentView key={`${index} ${document.id}`} document={document} isNormalized={isNormalized} />}
      </DocumentPages>
    </section>
  );
}

/** Which accuracies a task has, and which of them right and wrong mean. */
function accuraciesOf({ metrics }: StoredEvaluationTask, { by }: EvaluationSearch) {
  const names = metrics.map(({ metric }) => metric);
  const [hasPlain, hasNormalized] = [
    names.includes('acc') || names.includes('exact_match'),
    names.includes('acc_norm'),
  ];
  return {
    hasBoth: hasPlain && hasNormalized,
    hasAnswers: hasPlain || hasNormalized,
    isNormalized: hasNormalized && (by === 'acc_norm' || !hasPlain),
  };
}
