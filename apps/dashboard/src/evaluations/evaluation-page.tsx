import type { Evaluation } from '@gptj-cloud/sdk';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { keys } from '../api/keys.ts';
import { Button } from '../ui/button.tsx';
import { Confirm } from '../ui/confirm.tsx';
import { CopyButton } from '../ui/copy.tsx';
import { PageHead } from '../ui/page-head.tsx';
import { RelativeTime } from '../ui/relative-time.tsx';
import { StateBadge } from '../ui/state-badge.tsx';
import { QueryView, Skeleton } from '../ui/states.tsx';
import { toast } from '../ui/toasts.tsx';
import { DocumentBrowser } from './document-browser.tsx';
import { evaluationQuery } from './evaluation-queries.ts';
import { ScorePanel } from './score-panel.tsx';
import './evaluations.css';

const route = getRouteApi('/evaluations/$evaluationId');

export function EvaluationPage() {
  const { evaluationId } = route.useParams();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [isDeleting, setDeleting] = useState(false);
  const evaluation = useQuery(evaluationQuery(evaluationId));
  const found = evaluation.data;
  return (
    <div className="ui-page">
      <PageHead
        title={found?.name ?? 'Evaluation'}
        beside={found?.isComplete === false && <StateBadge state="running" label="incomplete" />}
      >
        {found && (
          <Button icon="trash" onPress={() => setDeleting(true)}>
            Delete
          </Button>
        )}
      </PageHead>
      <QueryView query={evaluation} skeleton={<Skeleton rows={10} height="2.75rem" />}>
        {(shown) => (
          <>
            <Facts evaluation={shown} />
            <ScorePanel evaluation={shown} />
            <DocumentBrowser key={shown.id} evaluation={shown} />
          </>
        )}
      </QueryView>
      {found && (
        <Confirm
          title="Delete the evaluation"
          action="Delete"
          isOpen={isDeleting}
          onClose={() => setDeleting(false)}
          onConfirm={async () => {
            await cloud().evaluations.delete(found.id);
            await navigate({ to: '/evaluations' });
            queries.removeQueries({ queryKey: keys.evaluations });
            toast('The evaluation is deleted.');
          }}
        >
          <p>{found.name} is deleted with the answers to all documents. The files of the run stay where they are.</p>
        </Confirm>
      )}
    </div>
  );
}

/** What the scores depend on. */
function Facts({ evaluation }: { readonly evaluation: Evaluation }) {
  const { model, versions, limit, skippedSelfChecks, createdAt } = evaluation;
  const facts: readonly (readonly [string, string])[] = [
    ['Model', [model.model, model.type].filter((part) => part !== null).join(', ')],
    ['Scored by', [model.adapter, model.engine].filter((part) => part !== null).join(', ')],
    [
      'Versions',
      Object.entries(versions)
        .map((version) => version.join(' '))
        .join(', '),
    ],
    ['Limit', limit === null ? 'all documents' : `the first ${limit} documents of each task`],
    ...(skippedSelfChecks.length === 0 ? [] : [['Self-checks left out', skippedSelfChecks.join(', ')] as const]),
  ];
  return (
    <dl className="ui-panel evaluations-facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
      <div>
        <dt>Weights</dt>
        <dd className="evaluations-weights">
          <code>{model.weights.length > 20 ? `${model.weights.slice(0, 12)}…` : model.weights}</code>
          <CopyButton text={model.weights} label="Copy the hash of the weights" />
        </dd>
      </div>
      <div>
        <dt>Stored</dt>
        <dd>
          <RelativeTime at={createdAt} />
        </dd>
      </div>
    </dl>
  );
}
