import type { Webhook } from '@gptj-cloud/sdk';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { keys } from '../api/keys.ts';
import { Button } from '../ui/button.tsx';
import { DataTable, type TableColumn } from '../ui/data-table.tsx';
import { PageHead } from '../ui/page-head.tsx';
import { RelativeTime } from '../ui/relative-time.tsx';
import { StateBadge } from '../ui/state-badge.tsx';
import { EmptyState, QueryView, Skeleton } from '../ui/states.tsx';
import { NewWebhookDialog } from './new-webhook-dialog.tsx';
import { SecretDialog } from './secret-dialog.tsx';
import { webhookState } from './webhook-state.ts';
import './webhooks.css';

/** More than a project may have. */
const MAX_WEBHOOKS = 100;

const columns: readonly TableColumn<Webhook>[] = [
  {
    id: 'url',
    name: 'Receiver',
    isTitle: true,
    cell: ({ url }) => <span className="webhooks-url">{url}</span>,
  },
  { id: 'state', name: 'State', width: '8rem', cell: (webhook) => <StateBadge state={webhookState(webhook)} /> },
  {
    id: 'events',
    name: 'Events',
    width: '14rem',
    cell: ({ events }) => (
      <span className="webhooks-events">
        {events.map((event) => (
          <code key={event}>{event}</code>
        ))}
      </span>
    ),
  },
  { id: 'created', name: 'Created', width: '8rem', cell: ({ createdAt }) => <RelativeTime at={createdAt} /> },
];

export function WebhooksPage() {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [isNew, setNew] = useState(false);
  const [made, setMade] = useState<Webhook | null>(null);
  const webhooks = useQuery({
    queryKey: keys.webhooks,
    queryFn: async ({ signal }) => (await cloud().webhooks.list({ signal, limit: MAX_WEBHOOKS })).items,
  });
  const open = ({ id }: Webhook): void => void navigate({ to: '/webhooks/$webhookId', params: { webhookId: id } });
  const isEmpty = webhooks.data?.length === 0;
  return (
    <div className="ui-page">
      <PageHead title="Webhooks">
        {!isEmpty && (
          <Button look="primary" icon="plus" onPress={() => setNew(true)}>
            New webhook
          </Button>
        )}
      </PageHead>
      <QueryView query={webhooks} skeleton={<Skeleton rows={3} height="2.75rem" />}>
        {(items) => (
          <DataTable
            label="Webhooks"
            columns={columns}
            items={items}
            idOf={({ id }) => id}
            onOpen={open}
            empty={
              <EmptyState
                text="No webhook yet. The server sends the end of every run to the address that you name."
                action={
                  <Button look="primary" icon="plus" onPress={() => setNew(true)}>
                    New webhook
                  </Button>
                }
              />
            }
          />
        )}
      </QueryView>
      {isNew && (
        <NewWebhookDialog
          onClose={() => setNew(false)}
          onCreated={(webhook) => {
            setNew(false);
            setMade(webhook);
            void queries.invalidateQueries({ queryKey: keys.webhooks });
          }}
        />
      )}
      {made !== null && (
        <SecretDialog
          webhook={made}
          onClose={() => {
            open(made);
            setMade(null);
          }}
        />
      )}
    </div>
  );
}
