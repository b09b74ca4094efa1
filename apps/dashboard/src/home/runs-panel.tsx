import type { RunSummary } from '@gptj-cloud/sdk';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { cloud } from '../api/cloud.ts';
import { keys } from '../api/keys.ts';
import { ButtonLink } from '../ui/button.tsx';
import { DataTable } from '../ui/data-table.tsx';
import { formatCount, formatDuration } from '../ui/formats.ts';
import { RelativeTime } from '../ui/relative-time.tsx';
import { StateBadge } from '../ui/state-badge.tsx';
import { EmptyState, QueryView, Skeleton } from '../ui/states.tsx';

const SHOWN = 5;
const OPEN_POLL_MS = 2_000;
const POLL_MS = 15_000;

/** The latest runs of the project. */
export function RunsPanel() {
  const runs = useQuery({
    queryKey: [...keys.runs, 'latest'],
    queryFn: async ({ signal }) => (await cloud().runs.summaries({ signal, limit: SHOWN })).items,
    refetchInterval: ({ state }) => (state.data?.some(isOpen) ? OPEN_POLL_MS : POLL_MS),
  });
  return (
    <section className="ui-panel" aria-labelledby="home-runs">
      <div className="ui-panel-head">
        <h2 id="home-runs">Last runs</h2>
        <ButtonLink to="/runs" look="quiet" size="small" icon="list">
          All runs
        </ButtonLink>
      </div>
      <QueryView query={runs} skeleton={<Skeleton rows={SHOWN} height="2rem" />}>
        {(items) => <LatestRuns runs={items} />}
      </QueryView>
    </section>
  );
}

function LatestRuns({ runs }: { readonly runs: readonly RunSummary[] }) {
  const navigate = useNavigate();
  if (runs.length === 0) {
    return (
      <EmptyState
        text="No run yet."
        action={
          <ButtonLink to="/playground" icon="pen">
            Write in the playground
          </ButtonLink>
        }
      />
    );
  }
  return (
    <DataTable
      label="Last runs"
      items={runs}
      idOf={({ id }) => id}
      onOpen={({ id }) => void navigate({ to: '/runs/$runId', params: { runId: id } })}
      card={(run) => (
        <>
          <RunText run={run} />
          <span className="home-run-facts">
            <StateBadge state={run.runState} />
            <span>{tokensOf(run)} tokens</span>
            <span>{timeOf(run)}</span>
            <RelativeTime at={run.createdAt} />
          </span>
        </>
      )}
      columns={[
        { id: 'text', name: 'Text', cell: (run) => <RunText run={run} /> },
        { id: 'state', name: 'State', width: '7rem', cell: ({ runState }) => <StateBadge state={runState} /> },
        {
          id: 'tokens',
          name: 'Tokens',
          width: '7rem',
          align: 'end',
          cell: tokensOf,
        },
        {
          id: 'time',
          name: 'Time',
          width: '5.5rem',
          align: 'end',
          cell: timeOf,
        },
        {
          id: 'started',
          name: 'Started',
          width: '7rem',
          align: 'end',
          cell: ({ createdAt }) => <RelativeTime at={createdAt} />,
        },
      ]}
    />
  );
}

function RunText({ run }: { readonly run: RunSummary }) {
  return (
    <span className="home-run-text">
      <bdi>{run.promptHead ?? run.id}</bdi>
      <bdi className="ui-muted">{run.exception ?? run.outputHead}</bdi>
    </span>
  );
}

function tokensOf({ usage }: RunSummary): string {
  return usage === null ? '–' : `${formatCount(usage.promptTokens)} + ${formatCount(usage.generatedTokens)}`;
}

function timeOf({ startedAt, endedAt }: RunSummary): string {
  return startedAt === null || endedAt === null ? '–' : formatDuration(endedAt.getTime() - startedAt.getTime());
}

function isOpen({ endedAt }: RunSummary): boolean {
  return endedAt === null;
}
