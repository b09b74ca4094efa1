import type { WebhookDelivery } from '@gptj-cloud/sdk';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { cloud } from '../api/cloud.ts';
import { keys } from '../api/keys.ts';
import { ButtonLink } from '../ui/button.tsx';
import { DataTable } from '../ui/data-table.tsx';
import { RelativeTime } from '../ui/relative-time.tsx';
import { StateBadge } from '../ui/state-badge.tsx';
import { EmptyState, QueryView } from '../ui/states.tsx';

/** A project has fewer. */
const MAX_WEBHOOKS = 100;
const MAX_DELIVERIES = 20;

interface Row extends WebhookDelivery {
  readonly url: string;
}

/** Messages about the end of the run. */
export function RunDeliveries({ runId }: { readonly runId: string }) {
  const query = useQuery({
    queryKey: [...keys.run(runId), 'deliveries'],
    queryFn: async ({ signal }) => {
      const { items: webhooks } = await cloud().webhooks.list({ signal, limit: MAX_WEBHOOKS });
      const lists = await Promise.all(
        webhooks.map(async ({ id, url }): Promise<readonly Row[]> => {
          const { items } = await cloud().webhooks.deliveries(id, { runId, limit: MAX_DELIVERIES, signal });
          return items.map((delivery) => ({ ...delivery, url }));
        }),
      );
      return { hasWebhooks: webhooks.length > 0, rows: lists.flat() };
    },
  });
  return (
    <QueryView query={query}>
      {({ hasWebhooks, rows }) => (
        <DataTable
          label="Messages to webhooks"
          items={rows}
          idOf={({ id }) => id}
          columns={[
            { id: 'state', name: 'State', width: '8rem', cell: ({ state }) => <StateBadge state={state} /> },
            {
              id: 'webhook',
              name: 'Webhook',
              isTitle: true,
              cell: ({ webhookId, url }) => (
                <Link to="/webhooks/$webhookId" params={{ webhookId }}>
                  {url}
                </Link>
              ),
            },
            { id: 'event', name: 'Event', width: '9rem', cell: ({ event }) => <code>{event}</code> },
            { id: 'attempts', name: 'Attempts', width: '6rem', align: 'end', cell: ({ attempts }) => attempts },
            {
              id: 'reply',
              name: 'Reply',
              width: '12rem',
              cell: ({ responseStatus, failure }) => failure ?? responseStatus ?? '–',
            },
            {
              id: 'at',
              name: 'Last',
              width: '7rem',
              cell: ({ endedAt, dueAt }) => <RelativeTime at={endedAt ?? dueAt} />,
            },
          ]}
          empty={
            <EmptyState
              text={hasWebhooks ? 'No webhook was notified of this run.' : 'The project has no webhook.'}
              action={
                <ButtonLink to="/webhooks" icon="hook">
                  Webhooks
                </ButtonLink>
              }
            />
          }
        />
      )}
    </QueryView>
  );
}
