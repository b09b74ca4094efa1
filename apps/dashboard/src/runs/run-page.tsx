import type { Run } from '@gptj-cloud/sdk';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { lazy, type ReactNode, Suspense } from 'react';
import { cloud } from '../api/cloud.ts';
import { keys } from '../api/keys.ts';
import { useRunChanges } from '../api/run-changes.ts';
import { CopyButton } from '../ui/copy.tsx';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { formatPlural } from '../ui/formats.ts';
import { Json } from '../ui/json.tsx';
import { PageHead } from '../ui/page-head.tsx';
import { problemOf } from '../ui/problem.ts';
import { formatCost, formatSpeed, RunBadge } from '../ui/run-facts.tsx';
import { Skeleton } from '../ui/states.tsx';
import { Tabs } from '../ui/tabs.tsx';
import { Timeline } from '../ui/timeline.tsx';
import { FailureNote } from './failure-note.tsx';
import { OtherProject } from './other-project.tsx';
import { PromptView } from './prompt-view.tsx';
import { ResultView } from './result-view.tsx';
import { RunActions } from './run-actions.tsx';
import type { RunSearch } from './run-search.ts';
import { stepsOf } from './run-steps.ts';
import './room.css';

const ReplayNote = lazy(async () => ({ default: (await import('./replay-note.tsx')).ReplayNote }));
const RunDeliveries = lazy(async () => ({ default: (await import('./run-deliveries.tsx')).RunDeliveries }));
const RunParameters = lazy(async () => ({ default: (await import('./run-parameters.tsx')).RunParameters }));

export function RunPage() {
  const { runId } = getRouteApi('/runs/$runId').useParams();
  const queries = useQueryClient();
  const query = useQuery({
    queryKey: keys.run(runId),
    queryFn: ({ signal }) => cloud().getRun(runId, { signal }),
  });
  useRunChanges((change) => {
    const isOfRun = change.type === 'run' && change.run.id === runId;
    const isGone = change.type === 'deleted' && change.id === runId;
    // An ended run changes no more.
    const mayHaveEnded = change.type === 'resync' && query.data?.endedAt === null;
    if (isGone) void queries.resetQueries({ queryKey: keys.run(runId) });
    if (isOfRun || mayHaveEnded) void queries.invalidateQueries({ queryKey: keys.run(runId) });
  });
  if (query.data !== undefined) return <RunView run={query.data} />;
  const isMissing = query.error !== null && problemOf(query.error).code === 'not_found';
  return (
    <div className="ui-page">
      <PageHead title="Run" beside={<code className="ui-muted">{runId}</code>} />
      {query.error === null ? (
        <Skeleton rows={8} height="2rem" />
      ) : (
        <ErrorPanel error={query.error} {...(!isMissing && { onRetry: () => void query.refetch() })}>
          {isMissing && <OtherProject runId={runId} />}
        </ErrorPanel>
      )}
    </div>
  );
}

function RunView({ run }: { readonly run: Run }) {
  const { tab = 'result', of } = getRouteApi('/runs/$runId').useSearch();
  const navigate = useNavigate({ from: '/runs/$runId' });
  const select = (next: NonNullable<RunSearch['tab']>): void =>
    void navigate({ search: (present) => ({ ...present, tab: next }), replace: true });
  return (
    <div className="ui-page">
      <PageHead title="Run" beside={<RunBadge state={run.runState} exception={run.errorInfo?.exception ?? null} />}>
        <RunActions run={run} />
      </PageHead>
      <div className="ui-stack">
        <p className="runs-id">
          <code>{run.id}</code>
          <CopyButton text={run.id} label="Copy the id" />
        </p>
        {run.error !== null && <FailureNote run={run} />}
        {of !== undefined && (
          <Suspense>
            <ReplayNote run={run} of={of} />
          </Suspense>
        )}
        <Timeline label="Course of the run" steps={stepsOf(run, new Date())} />
        <Facts run={run} />
        {run.warnings.length > 0 && (
          <ul className="runs-warnings">
            {run.warnings.map((warning) => (
              <li key={warning}>{warning}</li>
            ))}
          </ul>
        )}
      </div>
      <Tabs
        label="Parts of the run"
        selected={tab}
        onSelect={select}
        tabs={[
          { id: 'result', label: 'Result', content: <ResultView run={run} /> },
          { id: 'prompt', label: 'Prompt', content: <PromptView runId={run.id} /> },
          { id: 'parameters', label: 'Parameters', content: later(<RunParameters runId={run.id} />) },
          { id: 'webhooks', label: 'Webhooks', content: later(<RunDeliveries runId={run.id} />) },
          { id: 'raw', label: 'Raw', content: <Json value={run.raw} label="the reply" /> },
        ]}
      />
    </div>
  );
}

/** A tab whose code is loaded when it is opened. */
function later(content: ReactNode): ReactNode {
  return <Suspense fallback={<Skeleton rows={4} height="2rem" />}>{content}</Suspense>;
}

function Facts({ run }: { readonly run: Run }) {
  const { usage, seed, finishReasons, cost, attempts } = run;
  const speed = formatSpeed(run);
  const facts: readonly (readonly [string, string])[] = [
    ...(usage === null
      ? []
      : ([
          ['Tokens', `${usage.promptTokens} + ${usage.generatedTokens}`],
          ['Computed', formatPlural(usage.computedTokens, 'token')],
          ['From the cache', formatPlural(usage.cachedTokens, 'token')],
        ] as const)),
    ...(speed === '–' ? [] : ([['Speed', `${speed} tokens/s`]] as const)),
    ['Cost', formatCost(cost)],
    ['Seed', seed === null ? 'nothing was sampled' : String(seed)],
    ...(finishReasons === null ? [] : ([['Ended by', [...new Set(finishReasons)].join(', ')]] as const)),
    ['Started by', run.tokenId === null ? 'a browser session' : 'an API token'],
    ...(attempts !== null && attempts > 1 ? ([['Executions', String(attempts)]] as const) : []),
  ];
  return (
    <dl className="runs-facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd className="ui-number">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
