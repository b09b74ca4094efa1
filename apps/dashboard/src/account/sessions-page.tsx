import type { SessionEntry } from '@gptj-cloud/sdk';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { cloud } from '../api/cloud.ts';
import { useSignOut } from '../api/session.ts';
import { Button } from '../ui/button.tsx';
import { DataTable, type TableColumn } from '../ui/data-table.tsx';
import { problemOf } from '../ui/problem.ts';
import { RelativeTime } from '../ui/relative-time.tsx';
import { StateBadge } from '../ui/state-badge.tsx';
import { QueryView, Skeleton } from '../ui/states.tsx';
import { toast } from '../ui/toasts.tsx';
import { AccountFrame } from './account-frame.tsx';
import { browserOf } from './browser-name.ts';

const KEY = ['sessions'];

export function SessionsPage() {
  const queries = useQueryClient();
  const signOut = useSignOut();
  const sessions = useQuery({ queryKey: KEY, queryFn: ({ signal }) => cloud().auth.sessions({ signal }) });
  const end = useMutation({
    mutationFn: async (ended: readonly SessionEntry[]) => {
      for (const { id } of ended) await cloud().auth.endSession(id);
    },
    onSettled: () => queries.invalidateQueries({ queryKey: KEY }),
    onSuccess: (_, { length }) => toast(length === 1 ? 'The session has ended.' : `${length} sessions have ended.`),
    onError: (error) => toast(problemOf(error).message, { tone: 'bad' }),
  });
  const columns: readonly TableColumn<SessionEntry>[] = [
    {
      id: 'browser',
      name: 'Browser',
      isTitle: true,
      cell: ({ userAgent, current }) => (
        <span className="account-browser" title={userAgent}>
          {browserOf(userAgent)} {current && <StateBadge state="active" label="this one" />}
        </span>
      ),
    },
    {
      id: 'address',
      name: 'Address',
      width: '12rem',
      cell: ({ address }) => (
        <code className="account-ip ui-cut" title={address}>
          {address}
        </code>
      ),
    },
    { id: 'seen', name: 'Last used', width: '8rem', cell: ({ lastSeen }) => <RelativeTime at={lastSeen} /> },
    { id: 'began', name: 'Began', width: '8rem', cell: ({ createdAt }) => <RelativeTime at={createdAt} /> },
    {
      id: 'actions',
      name: '',
      width: '7rem',
      align: 'end',
      cell: (session) =>
        session.current ? (
          <Button look="quiet" size="small" onPress={() => void signOut()}>
            Sign out
          </Button>
        ) : (
          <Button look="quiet" size="small" onPress={() => end.mutate([session])}>
            End
          </Button>
        ),
    },
  ];
  return (
    <AccountFrame title="Sessions">
      <QueryView query={sessions} skeleton={<Skeleton rows={3} height="2.75rem" />}>
        {(items) => {
          const others = items.filter(({ current }) => !current);
          return (
            <section className="ui-stack">
              <DataTable label="Sessions" columns={columns} items={items} idOf={({ id }) => id} />
              {others.length > 0 && (
                <div className="ui-actions">
                  <Button isPending={end.isPending} onPress={() => end.mutate(others)}>
                    {others.length === 1 ? 'End the other session' : `End the ${others.length} other sessions`}
                  </Button>
                </div>
              )}
            </section>
          );
        }}
      </QueryView>
    </AccountFrame>
  );
}
