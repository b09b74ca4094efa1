import type { ApiToken } from '@gptj-cloud/sdk';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { confirmed } from '../api/confirmation.ts';
import { keys } from '../api/keys.ts';
import { Button, IconButton } from '../ui/button.tsx';
import { Confirm } from '../ui/confirm.tsx';
import { DataTable, type TableColumn } from '../ui/data-table.tsx';
import { Menu } from '../ui/menu.tsx';
import { PageHead } from '../ui/page-head.tsx';
import { problemOf } from '../ui/problem.ts';
import { RelativeTime } from '../ui/relative-time.tsx';
import { MaskedSecret } from '../ui/secret.tsx';
import { StateBadge } from '../ui/state-badge.tsx';
import { EmptyState, QueryView, Skeleton } from '../ui/states.tsx';
import { toast } from '../ui/toasts.tsx';
import { EditTokenDialog } from './edit-token-dialog.tsx';
import { wasUsedLately } from './expiry.ts';
import { NewTokenDialog } from './new-token-dialog.tsx';
import { RotateTokenDialog } from './rotate-token-dialog.tsx';
import { TokenUsage, useTokenUsage } from './token-usage.tsx';
import { TokenValueDialog } from './token-value-dialog.tsx';
import './tokens.css';

/** A project has at most this many tokens of one user. */
const MAX_TOKENS = 100;

type Open =
  | { readonly kind: 'none' }
  | { readonly kind: 'new' }
  | { readonly kind: 'value' | 'rotate' | 'edit' | 'delete'; readonly token: ApiToken };

const NONE: Open = { kind: 'none' };

export function TokensPage() {
  const queries = useQueryClient();
  const [open, setOpen] = useState<Open>(NONE);
  const tokens = useQuery({
    queryKey: keys.tokens,
    queryFn: async ({ signal }) => (await cloud().tokens.list({ signal, limit: MAX_TOKENS })).items,
  });
  const renew = (): void => void queries.invalidateQueries({ queryKey: keys.tokens });
  const close = (): void => setOpen(NONE);
  const showValue = (token: ApiToken): void => setOpen({ kind: 'value', token });
  const isEmpty = tokens.data?.length === 0;
  return (
    <div className="ui-page">
      <PageHead title="API tokens">
        {!isEmpty && (
          <Button look="primary" icon="plus" onPress={() => setOpen({ kind: 'new' })}>
            New token
          </Button>
        )}
      </PageHead>
      <QueryView query={tokens} skeleton={<Skeleton rows={4} height="2.75rem" />}>
        {(items) => <TokenTable tokens={items} onOpen={setOpen} />}
      </QueryView>
      {open.kind === 'new' && <NewTokenDialog tokens={tokens.data ?? []} onClose={close} onCreated={showValue} />}
      {open.kind === 'value' && (
        <TokenValueDialog
          token={open.token}
          onClose={() => {
            close();
            // Not before: rows would move behind the dialog.
            renew();
          }}
        />
      )}
      {open.kind === 'rotate' && <RotateTokenDialog token={open.token} onClose={close} onRotated={showValue} />}
      {open.kind === 'edit' && (
        <EditTokenDialog
          token={open.token}
          onClose={close}
          onChanged={() => {
            close();
            renew();
          }}
        />
      )}
      {open.kind === 'delete' && <DeleteToken token={open.token} onClose={close} onDeleted={renew} />}
    </div>
  );
}

function TokenTable({
  tokens,
  onOpen,
}: {
  readonly tokens: readonly ApiToken[];
  readonly onOpen: (open: Open) => void;
}) {
  const usage = useTokenUsage();
  const actions = (token: ApiToken) => <TokenMenu token={token} onOpen={onOpen} />;
  const columns: readonly TableColumn<ApiToken>[] = [
    {
      id: 'name',
      name: 'Name',
      isTitle: true,
      cell: (token) => (
        <div className="tokens-name">
          <span className="tokens-title">{token.name}</span>
          <MaskedSecret value={token.value} />
        </div>
      ),
    },
    { id: 'state', name: 'State', width: '7rem', cell: (token) => <StateBadge state={stateOf(token)} /> },
    { id: 'scopes', name: 'Scopes', width: '11rem', cell: (token) => <Scopes token={token} /> },
    {
      id: 'used',
      name: 'Last used',
      width: '7rem',
      cell: (token) => <RelativeTime at={token.lastUsed} />,
    },
    {
      id: 'ends',
      name: 'Ends',
      width: '8rem',
      cell: (token) => <RelativeTime at={token.expiresAt} />,
    },
    {
      id: 'usage',
      name: 'Tokens, 30 days',
      align: 'end',
      width: '10rem',
      cell: (token) => <TokenUsage usage={usage} tokenId={token.id} />,
    },
    { id: 'actions', name: '', width: '3.5rem', align: 'end', cell: actions },
  ];
  return (
    <DataTable
      label="API tokens"
      columns={columns}
      items={tokens}
      idOf={({ id }) => id}
      card={(token) => (
        <>
          <div className="tokens-card-head">
            <div className="tokens-name">
              <span className="tokens-title">{token.name}</span>
              <MaskedSecret value={token.value} />
            </div>
            {actions(token)}
          </div>
          <div className="tokens-tags">
            <StateBadge state={stateOf(token)} />
            <Scopes token={token} />
          </div>
          <p className="ui-muted tokens-card-foot">
            <span>
              {token.lastUsed === null ? (
                'Never used'
              ) : (
                <>
                  Used <RelativeTime at={token.lastUsed} />
                </>
              )}
              {token.expiresAt !== null && (
                <>
                  , ends <RelativeTime at={token.expiresAt} />
                </>
              )}
            </span>
            <TokenUsage usage={usage} tokenId={token.id} />
          </p>
        </>
      )}
      empty={
        <EmptyState
          text="No token yet. A program sends one with every request."
          action={
            <Button look="primary" icon="plus" onPress={() => onOpen({ kind: 'new' })}>
              New token
            </Button>
          }
        />
      }
    />
  );
}

function stateOf({ isEnabled, isActive }: ApiToken): 'active' | 'disabled' | 'expired' {
  return !isEnabled ? 'disabled' : isActive ? 'active' : 'expired';
}

function Scopes({ token }: { readonly token: ApiToken }) {
  const shown = token.scopes.includes('admin') ? ['admin'] : token.scopes;
  return (
    <div className="tokens-tags">
      {shown.map((scope) => (
        <code key={scope} className="tokens-tag">
          {scope}
        </code>
      ))}
      {token.previousValueUntil !== null && token.previousValueUntil > new Date() && (
        <span className="ui-hint">
          former value ends <RelativeTime at={token.previousValueUntil} />
        </span>
      )}
    </div>
  );
}

function TokenMenu({ token, onOpen }: { readonly token: ApiToken; readonly onOpen: (open: Open) => void }) {
  const queries = useQueryClient();
  const change = useMutation({
    mutationFn: (isEnabled: boolean) => confirmed(() => cloud().tokens.change(token.id, { isEnabled })),
    onSuccess: async ({ name, isEnabled }) => {
      await queries.invalidateQueries({ queryKey: keys.tokens });
      const undo = { action: { label: 'Undo', run: () => change.mutate(!isEnabled) } };
      toast(`${name} is ${isEnabled ? 'enabled' : 'disabled: requests with it are refused'}.`, undo);
    },
    onError: (error) => toast(problemOf(error).message, { tone: 'bad' }),
  });
  return (
    <Menu
      label={`Actions of ${token.name}`}
      placement="bottom end"
      trigger={<IconButton label={`Actions of ${token.name}`} icon="more" />}
      groups={[
        {
          entries: [
            { id: 'edit', label: 'Change', icon: 'pen', onAction: () => onOpen({ kind: 'edit', token }) },
            { id: 'rotate', label: 'Rotate', icon: 'refresh', onAction: () => onOpen({ kind: 'rotate', token }) },
            token.isEnabled
              ? { id: 'disable', label: 'Disable', icon: 'banned', onAction: () => change.mutate(false) }
              : { id: 'enable', label: 'Enable', icon: 'done', onAction: () => change.mutate(true) },
          ],
        },
        {
          entries: [
            {
              id: 'delete',
              label: 'Delete',
              icon: 'trash',
              isDanger: true,
              onAction: () => onOpen({ kind: 'delete', token }),
            },
          ],
        },
      ]}
    />
  );
}

function DeleteToken({
  token,
  onClose,
  onDeleted,
}: {
  readonly token: ApiToken;
  readonly onClose: () => void;
  readonly onDeleted: () => void;
}) {
  const isInUse = wasUsedLately(token.lastUsed, new Date());
  return (
    <Confirm
      title={`Delete ${token.name}`}
      action="Delete"
      isOpen
      onClose={onClose}
      {...(isInUse && { typed: token.name })}
      onConfirm={async () => {
        await cloud().tokens.delete(token.id);
        onDeleted();
      }}
    >
      {isInUse ? (
        <p>
          It was last used <RelativeTime at={token.lastUsed} />. Programs that send it are refused from their next
          request on.
        </p>
      ) : (
        <p>Programs that send it are refused from their next request on.</p>
      )}
    </Confirm>
  );
}
