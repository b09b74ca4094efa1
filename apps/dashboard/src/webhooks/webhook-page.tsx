import type { Webhook } from '@gptj-cloud/sdk';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { confirmed } from '../api/confirmation.ts';
import { keys } from '../api/keys.ts';
import { Button, IconButton } from '../ui/button.tsx';
import { Confirm } from '../ui/confirm.tsx';
import { sentence } from '../ui/error-panel.tsx';
import { Menu } from '../ui/menu.tsx';
import { PageHead } from '../ui/page-head.tsx';
import { problemOf } from '../ui/problem.ts';
import { RelativeTime } from '../ui/relative-time.tsx';
import { StateBadge } from '../ui/state-badge.tsx';
import { QueryView, Skeleton } from '../ui/states.tsx';
import { toast } from '../ui/toasts.tsx';
import { ChangeWebhookDialog } from './change-webhook-dialog.tsx';
import { DeliveryLog } from './delivery-log.tsx';
import { RotateSecretDialog } from './rotate-secret-dialog.tsx';
import { SecretDialog } from './secret-dialog.tsx';
import { SignatureHelp } from './signature-help.tsx';
import { webhookState } from './webhook-state.ts';
import './webhooks.css';

type Open = 'none' | 'change' | 'rotate' | 'delete';

const route = getRouteApi('/webhooks/$webhookId');

export function WebhookPage() {
  const { webhookId } = route.useParams();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [open, setOpen] = useState<Open>('none');
  const [rotated, setRotated] = useState<Webhook | null>(null);
  const webhook = useQuery({
    queryKey: [...keys.webhooks, webhookId],
    queryFn: ({ signal }) => cloud().webhooks.get(webhookId, { signal }),
  });
  const renew = () => queries.invalidateQueries({ queryKey: keys.webhooks });
  const close = (): void => setOpen('none');
  const found = webhook.data;
  return (
    <div className="ui-page">
      <PageHead
        title={found === undefined ? 'Webhook' : new URL(found.url).host}
        beside={found && <StateBadge state={webhookState(found)} />}
      >
        {found && <Actions webhook={found} onOpen={setOpen} onChange={renew} />}
      </PageHead>
      <QueryView query={webhook} skeleton={<Skeleton rows={6} height="2.75rem" />}>
        {(shown) => (
          <>
            <Facts webhook={shown} onChange={renew} />
            <DeliveryLog webhook={shown}>
              <SignatureHelp />
            </DeliveryLog>
          </>
        )}
      </QueryView>
      {found && open === 'change' && (
        <ChangeWebhookDialog
          webhook={found}
          onClose={close}
          onChanged={() => {
            close();
            void renew();
          }}
        />
      )}
      {found && open === 'rotate' && (
        <RotateSecretDialog
          webhook={found}
          onClose={close}
          onRotated={(next) => {
            close();
            setRotated(next);
            void renew();
          }}
        />
      )}
      {rotated !== null && <SecretDialog webhook={rotated} onClose={() => setRotated(null)} />}
      {found && open === 'delete' && (
        <Confirm
          title="Delete the webhook"
          action="Delete"
          isOpen
          onClose={close}
          onConfirm={async () => {
            await cloud().webhooks.delete(found.id);
            await navigate({ to: '/webhooks' });
            queries.removeQueries({ queryKey: [...keys.webhooks, found.id] });
            toast('The webhook is deleted.');
          }}
        >
          <p>Messages that wait are not sent any more, and its log is deleted.</p>
        </Confirm>
      )}
    </div>
  );
}

function Actions({
  webhook,
  onOpen,
  onChange,
}: {
  readonly webhook: Webhook;
  readonly onOpen: (open: Open) => void;
  readonly onChange: () => Promise<unknown>;
}) {
  const { id, isEnabled } = webhook;
  const fail = (error: unknown): void => toast(sentence(problemOf(error).message), { tone: 'bad' });
  const test = useMutation({
    mutationFn: () => cloud().webhooks.test(id),
    onSuccess: async () => {
      await onChange();
      toast('A test message is on its way; the log shows its outcome.');
    },
    onError: fail,
  });
  const enable = useEnable(webhook, onChange);
  return (
    <>
      <Button icon="send" isPending={test.isPending} isDisabled={!isEnabled} onPress={() => test.mutate()}>
        Send a test
      </Button>
      <Menu
        label="Actions of the webhook"
        placement="bottom end"
        trigger={<IconButton label="Actions of the webhook" icon="more" />}
        groups={[
          {
            entries: [
              { id: 'change', label: 'Change', icon: 'pen', onAction: () => onOpen('change') },
              { id: 'rotate', label: 'Rotate the secret', icon: 'refresh', onAction: () => onOpen('rotate') },
              isEnabled
                ? { id: 'disable', label: 'Disable', icon: 'banned', onAction: () => enable.mutate(false) }
                : { id: 'enable', label: 'Enable', icon: 'done', onAction: () => enable.mutate(true) },
            ],
          },
          {
            entries: [
              { id: 'delete', label: 'Delete', icon: 'trash', isDanger: true, onAction: () => onOpen('delete') },
            ],
          },
        ]}
      />
    </>
  );
}

function useEnable({ id }: Webhook, onChange: () => Promise<unknown>) {
  return useMutation({
    mutationFn: (isEnabled: boolean) => confirmed(() => cloud().webhooks.change(id, { isEnabled })),
    onSuccess: async ({ isEnabled }) => {
      await onChange();
      toast(isEnabled ? 'The webhook is enabled.' : 'The webhook is disabled: messages that waited are not sent.');
    },
    onError: (error) => toast(sentence(problemOf(error).message), { tone: 'bad' }),
  });
}

function Facts({ webhook, onChange }: { readonly webhook: Webhook; readonly onChange: () => Promise<unknown> }) {
  const { url, events, isEnabled, disabledAt, disabledReason, failingSince, failedAttempts } = webhook;
  const enable = useEnable(webhook, onChange);
  return (
    <section className="ui-panel ui-stack">
      {!isEnabled && (
        <div className="webhooks-note">
          <p>
            {disabledAt === null ? (
              'It is disabled: no message is sent.'
            ) : (
              <>
                The server has disabled it <RelativeTime at={disabledAt} />
                {disabledReason === null ? '.' : `: ${disabledReason}`}
              </>
            )}
          </p>
          <Button isPending={enable.isPending} onPress={() => enable.mutate(true)}>
            Enable
          </Button>
        </div>
      )}
      {isEnabled && failedAttempts > 0 && (
        <div className="webhooks-note">
          <p>
            {failedAttempts === 1 ? 'One attempt has failed' : `${failedAttempts} attempts in a row have failed`}
            {failingSince && (
              <>
                , the first <RelativeTime at={failingSince} />
              </>
            )}
            . Mend the receiver, then send a test.
          </p>
        </div>
      )}
      <dl className="webhooks-facts">
        <div>
          <dt>Address</dt>
          <dd className="webhooks-url">{url}</dd>
        </div>
        <div>
          <dt>Events</dt>
          <dd className="webhooks-events">
            {events.map((event) => (
              <code key={event}>{event}</code>
            ))}
          </dd>
        </div>
        <div>
          <dt>Created</dt>
          <dd>
            <RelativeTime at={webhook.createdAt} />
          </dd>
        </div>
        {webhook.previousSecretUntil !== null && webhook.previousSecretUntil > new Date() && (
          <div>
            <dt>Former secret</dt>
            <dd>
              signs as well, ends <RelativeTime at={webhook.previousSecretUntil} />
            </dd>
          </div>
        )}
      </dl>
    </section>
  );
}
