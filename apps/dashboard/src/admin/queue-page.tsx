import type { QueuedRun } from '@gptj-cloud/sdk';
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { keys } from '../api/keys.ts';
import { useSession } from '../api/session.ts';
import { Button } from '../ui/button.tsx';
import { Confirm } from '../ui/confirm.tsx';
import { CopyButton } from '../ui/copy.tsx';
import { DataTable, type TableColumn } from '../ui/data-table.tsx';
import { formatCount, formatDuration } from '../ui/formats.ts';
import { Pager } from '../ui/pager.tsx';
import { StateBadge } from '../ui/state-badge.tsx';
import { EmptyState, QueryView, Skeleton } from '../ui/states.tsx';
import { toast } from '../ui/toasts.tsx';
import { AdminPage } from './admin-page.tsx';
import { shortId } from './admin-queries.ts';

const PER_PAGE = 50;
const POLL_MS = 2_000;

export function QueuePage() {
  const { user } = useSession();
  const queries = useQueryClient();
  const [skip, setSkip] = useState(0);
  const [cancelled, setCancelled] = useState<QueuedRun | null>(null);
  const queue = useQuery({
    queryKey: [...keys.admin, 'queue', skip],
    enabled: user.role === 'owner',
    placeholderData: keepPreviousData,
    refetchInterval: POLL_MS,
    queryFn: ({ signal }) => cloud().admin.queue({ signal, skip, limit: PER_PAGE }),
  });
  return (
    <AdminPage title="Queue">
      <p className="ui-muted admin-intro">
        Open runs of all projects: running ones first, then in the order in which they start. Inputs are not shown.
      </p>
      <QueryView query={queue} skeleton={<Skeleton rows={5} height="2.75rem" />}>
        {({ items, total }) => (
          <section className="ui-stack">
            <DataTable
              label="Open runs"
              columns={columnsOf(setCancelled)}
              items={items}
              idOf={({ id }) => id}
              empty={<EmptyState text="No run is open: the server waits for work." />}
            />
            <Pager label="Pages of the queue" skip={skip} limit={PER_PAGE} total={total} onSkip={setSkip} />
          </section>
        )}
      </QueryView>
      {cancelled !== null && (
        <Confirm
          title={`Cancel the run of ${cancelled.user.username}`}
          action="Cancel the run"
          isOpen
          onClose={() => setCancelled(null)}
          onConfirm={async () => {
            await cloud().admin.cancelRun(cancelled.id);
            await queries.invalidateQueries({ queryKey: keys.admin });
            toast('The run is cancelled.');
          }}
        >
          <p>It ends as failed, and its project is charged for what was computed. The audit log names you.</p>
        </Confirm>
      )}
    </AdminPage>
  );
}

function columnsOf(onCancel: (run: QueuedRun) => void): readonly TableColumn<QueuedRun>[] {
  return [
    { id: 'state', name: 'State', width: '8rem', cell: ({ state }) => <StateBadge state={state} /> },
    { id: 'project', name: 'Project', cell: ({ project }) => <span className="admin-name">{project.name}</span> },
    {
      id: 'user',
      name: 'User',
      width: '13rem',
      isTitle: true,
      cell: ({ user }) => <span className="admin-name">{user.username}</span>,
    },
    {
      id: 'run',
      name: 'Run',
      width: '12rem',
      isWideOnly: true,
      cell: ({ id }) => (
        <span className="admin-id">
          <code>{shortId(id)}</code>
          <CopyButton text={id} label="Copy the id of the run" />
        </span>
      ),
    },
    {
      id: 'tokens',
      name: 'Tokens reserved',
      width: '9rem',
      align: 'end',
      cell: ({ reservedTokens }) => (reservedTokens === null ? 'no limit' : formatCount(reservedTokens)),
    },
    { id: 'waits', name: 'Waited', width: '7rem', align: 'end', cell: ({ waitedMs }) => formatDuration(waitedMs) },
    { id: 'priority', name: 'Priority', width: '6rem', align: 'end', cell: ({ priority }) => priority },
    {
      id: 'actions',
      name: '',
      width: '7rem',
      align: 'end',
      cell: (run) =>
        run.cancelRequested ? (
          <span className="ui-muted">cancelling</span>
        ) : (
          <Button look="quiet" size="small" onPress={() => onCancel(run)}>
            Cancel
          </Button>
        ),
    },
  ];
}
