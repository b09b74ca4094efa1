import type { Webhook, WebhookDelivery } from '@gptj-cloud/sdk';
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { keys } from '../api/keys.ts';
import { Button } from '../ui/button.tsx';
import { DataTable, type TableColumn } from '../ui/data-table.tsx';
import { sentence } from '../ui/error-panel.tsx';
import { FilterBar } from '../ui/filter-bar.tsx';
import { Pager } from '../ui/pager.tsx';
import { problemOf } from '../ui/problem.ts';
import { RelativeTime } from '../ui/relative-time.tsx';
import { type Choice, Select } from '../ui/select.tsx';
import { StateBadge } from '../ui/state-badge.tsx';
import { QueryView, Skeleton } from '../ui/states.tsx';
import { toast } from '../ui/toasts.tsx';

const ALL = 'all';
const STATES: readonly Choice<string>[] = [
  { id: ALL, label: 'All states' },
  { id: 'pending', label: 'Pending' },
  { id: 'delivered', label: 'Delivered' },
  { id: 'failed', label: 'Failed' },
];
const PER_PAGE = 20;
const PENDING_POLL_MS = 2_000;
const POLL_MS = 15_000;

const route = getRouteApi('/webhooks/$webhookId');

/** The messages of a webhook: their states, and when the next attempt is. */
export function DeliveryLog({
  webhook,
  children,
}: {
  readonly webhook: Webhook;
  /** Below the log; it waits for the log, so that it does not move. */
  readonly children: ReactNode;
}) {
  const { state } = route.useSearch();
  const navigate = useNavigate({ from: '/webhooks/$webhookId' });
  const [skip, setSkip] = useState(0);
  const chosen = (['pending', 'delivered', 'failed'] as const).find((each) => each === state);
  const deliveries = useQuery({
    queryKey: [...keys.webhooks, webhook.id, 'deliveries', chosen ?? null, skip],
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => cloud().webhooks.deliveries(webhook.id, { signal, skip, limit: PER_PAGE, state: chosen }),
    refetchInterval: ({ state: { data } }) =>
      data?.items.some((each) => each.state === 'pending') ? PENDING_POLL_MS : POLL_MS,
  });
  const choose = (next: string): void => {
    setSkip(0);
    void navigate({
      search: ({ project }) => ({ ...(project && { project }), ...(next !== ALL && { state: next }) }),
      replace: true,
    });
  };
  return (
    <>
      <section className="ui-stack">
        <div className="ui-panel-head webhooks-head">
          <h2>Deliveries</h2>
          <FilterBar count={chosen === undefined ? 0 : 1} onClear={() => choose(ALL)}>
            <Select label="State" isLabelHidden size="small" value={chosen ?? ALL} onChange={choose} choices={STATES} />
          </FilterBar>
        </div>
        <QueryView query={deliveries} skeleton={<Skeleton rows={4} height="2.75rem" />}>
          {({ items, total }) => (
            <>
              <DataTable
                label="Deliveries"
                columns={columnsOf(webhook)}
                items={items}
                idOf={({ id }) => id}
                empty={
                  chosen === undefined
                    ? 'No message yet. One is sent when a run of this project ends.'
                    : `No message is ${chosen}.`
                }
              />
              <Pager label="Pages of deliveries" skip={skip} limit={PER_PAGE} total={total} onSkip={setSkip} />
            </>
          )}
        </QueryView>
      </section>
      {!deliveries.isPending && children}
    </>
  );
}

function columnsOf(webhook: Webhook): readonly TableColumn<WebhookDelivery>[] {
  return [
    {
      id: 'event',
      name: 'Message',
      isTitle: true,
      cell: ({ event, runId }) => (
        <span className="webhooks-message">
          <code>{event}</code>
          {runId !== null && (
            <Link to="/runs/$runId" params={{ runId }} className="ui-cut">
              {shortId(runId)}
            </Link>
          )}
        </span>
      ),
    },
    { id: 'state', name: 'State', width: '8rem', cell: ({ state }) => <StateBadge state={state} /> },
    {
      id: 'attempts',
      name: 'Attempts',
      width: '6rem',
      align: 'end',
      isWideOnly: true,
      cell: ({ attempts }) => attempts,
    },
    {
      id: 'reply',
      name: 'Last reply',
      cell: ({ responseStatus, failure }) => (
        <span className="webhooks-reply">
          {responseStatus !== null && <code>{responseStatus}</code>}
          {failure !== null && <span className="ui-muted">{failure}</span>}
        </span>
      ),
    },
    { id: 'created', name: 'Created', width: '7rem', cell: ({ createdAt }) => <RelativeTime at={createdAt} /> },
    {
      id: 'next',
      name: 'Next attempt',
      width: '8rem',
      cell: ({ state, dueAt }) => (state === 'pending' ? <RelativeTime at={dueAt} /> : <span aria-hidden>–</span>),
    },
    {
      id: 'actions',
      name: '',
      width: '7rem',
      align: 'end',
      cell: (delivery) => <Replay webhook={webhook} delivery={delivery} />,
    },
  ];
}

function Replay({ webhook, delivery }: { readonly webhook: Webhook; readonly delivery: WebhookDelivery }) {
  const queries = useQueryClient();
  const replay = useMutation({
    mutationFn: () => cloud().webhooks.replay(webhook.id, delivery.id),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: [...keys.webhooks, webhook.id] });
      toast('The message is sent again, as a new delivery.');
    },
    onError: (error) => {
      const { message, remedy } = problemOf(error);
      toast([message, remedy].flatMap((text) => (text === null ? [] : [sentence(text)])).join(' '), { tone: 'bad' });
    },
  });
  if (delivery.state === 'pending') return null;
  return (
    <Button
      look="quiet"
      size="small"
      icon="redo"
      isPending={replay.isPending}
      isDisabled={!webhook.isEnabled}
      onPress={() => replay.mutate()}
    >
      Replay
    </Button>
  );
}

/** `run_35d4…1822` */
function shortId(id: string): string {
  return id.length <= 16 ? id : `${id.slice(0, 8)}…${id.slice(-4)}`;
}
