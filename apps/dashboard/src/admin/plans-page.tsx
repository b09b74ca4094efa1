import type { Plan, PlanList } from '@gptj-cloud/sdk';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { confirmed } from '../api/confirmation.ts';
import { keys } from '../api/keys.ts';
import { useSession } from '../api/session.ts';
import { Button } from '../ui/button.tsx';
import { DataTable, type TableColumn } from '../ui/data-table.tsx';
import { ErrorPanel, sentence } from '../ui/error-panel.tsx';
import { formatCount, formatMoney } from '../ui/formats.ts';
import { Pager } from '../ui/pager.tsx';
import { problemOf } from '../ui/problem.ts';
import { RelativeTime } from '../ui/relative-time.tsx';
import { EmptyState, QueryView, Skeleton } from '../ui/states.tsx';
import { toast } from '../ui/toasts.tsx';
import { AdminPage } from './admin-page.tsx';
import { plansQuery, shortId, useUserNames } from './admin-queries.ts';

type Request = PlanList['requests'][number];

const PER_PAGE = 20;
const POLL_MS = 5_000;

export function PlansPage() {
  const { user } = useSession();
  const queries = useQueryClient();
  const plans = useQuery({ ...plansQuery, enabled: user.role === 'owner', refetchInterval: POLL_MS });
  const reload = useMutation({
    mutationFn: () => cloud().plans.reload(),
    onSuccess: (list) => {
      queries.setQueryData(keys.plans, list);
      toast('The file of plans was read again.');
    },
  });
  return (
    <AdminPage
      title="Plans"
      actions={
        <Button icon="refresh" isPending={reload.isPending} onPress={() => reload.mutate()}>
          Reload the file
        </Button>
      }
    >
      {reload.error !== null && <ErrorPanel error={reload.error} />}
      <QueryView query={plans} skeleton={<Skeleton rows={6} height="2.75rem" />}>
        {(list) => (
          <>
            <Requests list={list} />
            <section className="ui-stack">
              <h2>Plans</h2>
              <DataTable label="Plans" columns={planColumns(list.currency)} items={list.plans} idOf={({ id }) => id} />
            </section>
          </>
        )}
      </QueryView>
    </AdminPage>
  );
}

function Requests({ list }: { readonly list: PlanList }) {
  const [skip, setSkip] = useState(0);
  const from = skip < list.requests.length ? skip : 0;
  const shown = list.requests.slice(from, from + PER_PAGE);
  const names = useUserNames(shown.map(({ userId }) => userId));
  const planName = (id: string): string => list.plans.find((plan) => plan.id === id)?.name ?? id;
  const columns: readonly TableColumn<Request>[] = [
    {
      id: 'user',
      name: 'User',
      isTitle: true,
      cell: ({ userId }) => <span className="admin-name">{names.get(userId) ?? shortId(userId)}</span>,
    },
    { id: 'plan', name: 'Asks for', cell: ({ planId }) => planName(planId) },
    { id: 'at', name: 'Asked', width: '9rem', cell: ({ requestedAt }) => <RelativeTime at={requestedAt} /> },
    {
      id: 'actions',
      name: '',
      width: '12rem',
      align: 'end',
      cell: (request) => (
        <RequestActions
          request={request}
          name={names.get(request.userId) ?? 'The user'}
          plan={planName(request.planId)}
        />
      ),
    },
  ];
  return (
    <section className="ui-stack">
      <h2>Requests</h2>
      <DataTable
        label="Requests for a plan"
        columns={columns}
        items={shown}
        idOf={({ userId }) => userId}
        empty={<EmptyState text="No user waits for another plan." />}
      />
      <Pager label="Pages of requests" skip={from} limit={PER_PAGE} total={list.requests.length} onSkip={setSkip} />
    </section>
  );
}

function RequestActions({
  request,
  name,
  plan,
}: {
  readonly request: Request;
  readonly name: string;
  readonly plan: string;
}) {
  const queries = useQueryClient();
  const fail = (error: unknown): void => toast(sentence(problemOf(error).message), { tone: 'bad' });
  const done = async (text: string): Promise<void> => {
    await queries.invalidateQueries({ queryKey: keys.plans });
    await queries.invalidateQueries({ queryKey: keys.admin });
    toast(text);
  };
  const grant = useMutation({
    mutationFn: () => confirmed(() => cloud().plans.change(request.planId, { userId: request.userId })),
    onSuccess: () => done(`${name} is on the plan ${plan} now.`),
    onError: fail,
  });
  // Setting the present plan again answers the request.
  const decline = useMutation({
    mutationFn: async () => {
      const { planId } = await cloud().users.get(request.userId);
      if (planId === null) throw new Error('The present plan of the user is not known.');
      return await confirmed(() => cloud().plans.change(planId, { userId: request.userId }));
    },
    onSuccess: () => done(`${name} stays on the present plan.`),
    onError: fail,
  });
  return (
    <span className="ui-actions admin-row-actions">
      <Button look="quiet" size="small" isPending={decline.isPending} onPress={() => decline.mutate()}>
        Decline
      </Button>
      <Button size="small" isPending={grant.isPending} onPress={() => grant.mutate()}>
        Grant
      </Button>
    </span>
  );
}

function planColumns(currency: string): readonly TableColumn<Plan>[] {
  const limit = (value: number | null): string => (value === null ? 'no limit' : formatCount(value));
  return [
    {
      id: 'name',
      name: 'Plan',
      isTitle: true,
      cell: ({ id, name }) => (
        <span className="admin-user">
          <span className="admin-name">{name}</span>
          <code className="ui-muted">{id}</code>
        </span>
      ),
    },
    { id: 'price', name: 'A month', align: 'end', cell: ({ prices }) => formatMoney(prices.monthly, currency) },
    { id: 'day', name: 'Tokens a day', align: 'end', cell: ({ tokensPerDay }) => limit(tokensPerDay) },
    { id: 'month', name: 'Tokens a month', align: 'end', cell: ({ tokensPerMonth }) => limit(tokensPerMonth) },
    { id: 'runs', name: 'Runs at a time', align: 'end', cell: ({ concurrentRuns }) => limit(concurrentRuns) },
    { id: 'rate', name: 'Requests a minute', align: 'end', cell: ({ requestsPerMinute }) => limit(requestsPerMinute) },
    { id: 'priority', name: 'Priority', align: 'end', width: '6rem', cell: ({ priority }) => priority },
  ];
}
