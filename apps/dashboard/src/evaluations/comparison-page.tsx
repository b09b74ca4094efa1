import type { Evaluation } from '@gptj-cloud/sdk';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { Button } from '../ui/button.tsx';
import { PageHead } from '../ui/page-head.tsx';
import { Select } from '../ui/select.tsx';
import { EmptyState, QueryView, Skeleton } from '../ui/states.tsx';
import { ChangeBrowser } from './change-browser.tsx';
import type { ComparisonSearch } from './comparison-search.ts';
import { choicesQuery, comparisonQuery } from './evaluation-queries.ts';
import { TaskChanges } from './task-changes.tsx';
import './evaluations.css';

const route = getRouteApi('/evaluations/compare');

/** What one evaluation changes against another: by task, then document by document. */
export function ComparisonPage() {
  const { before, after } = route.useSearch();
  const evaluations = useQuery(choicesQuery);
  return (
    <div className="ui-page">
      <PageHead title="Compare evaluations" />
      <QueryView query={evaluations} skeleton={<Skeleton rows={2} height="3.5rem" />}>
        {({ items }) =>
          items.length < 2 && (before === undefined || after === undefined) ? (
            <EmptyState text="A comparison needs two evaluations of the same tasks. Store another one with gptj eval --store." />
          ) : (
            <>
              <Sides evaluations={items} />
              {before === undefined || after === undefined ? (
                <p className="ui-muted">Choose two evaluations.</p>
              ) : (
                <Comparison key={`${before} ${after}`} before={before} after={after} />
              )}
            </>
          )
        }
      </QueryView>
    </div>
  );
}

function Sides({ evaluations }: { readonly evaluations: readonly Evaluation[] }) {
  const { before, after } = route.useSearch();
  const navigate = useNavigate({ from: '/evaluations/compare' });
  const change = (next: ComparisonSearch): void =>
    void navigate({ search: (now) => ({ before: now.before, after: now.after, ...next }), replace: true });
  const side = (label: string, value: string | undefined, onChange: (id: string) => void) => (
    <Select
      label={label}
      value={value ?? ''}
      onChange={onChange}
      choices={[
        ...(value === undefined ? [{ id: '', label: 'Choose an evaluation' }] : []),
        // One that is older than the listed ones.
        ...(value === undefined || evaluations.some(({ id }) => id === value) ? [] : [{ id: value, label: value }]),
        ...evaluations.map(({ id, name, createdAt }) => ({
          id,
          label: name,
          note: createdAt.toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' }),
        })),
      ]}
    />
  );
  return (
    <div className="evaluations-sides">
      {side('Before', before, (id) => change({ before: id === '' ? undefined : id }))}
      {side('After', after, (id) => change({ after: id === '' ? undefined : id }))}
      <Button
        icon="swap"
        isDisabled={before === undefined && after === undefined}
        onPress={() => change({ before: after, after: before })}
      >
        Swap
      </Button>
    </div>
  );
}

function Comparison({ before, after }: { readonly before: string; readonly after: string }) {
  const comparison = useQuery(comparisonQuery(before, after));
  return (
    <QueryView query={comparison} skeleton={<Skeleton rows={10} height="2.75rem" />}>
      {(shown) => {
        const compared = shown.tasks.filter(({ documents }) => documents > 0);
        return compared.length === 0 ? (
          <EmptyState text="No document is stored in both: an upload is incomplete." />
        ) : (
          <>
            <TaskChanges tasks={compared} comparison={shown} />
            <ChangeBrowser tasks={compared} comparison={shown} />
          </>
        );
      }}
    </QueryView>
  );
}
