import type { AuditEntry } from '@gptj-cloud/sdk';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { keys } from '../api/keys.ts';
import { useSession } from '../api/session.ts';
import { Button } from '../ui/button.tsx';
import { DataTable, type TableColumn } from '../ui/data-table.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { FilterBar } from '../ui/filter-bar.tsx';
import { formatPlural } from '../ui/formats.ts';
import { Json } from '../ui/json.tsx';
import { Pager } from '../ui/pager.tsx';
import { RelativeTime } from '../ui/relative-time.tsx';
import { defined } from '../ui/search-values.ts';
import { type Choice, Select } from '../ui/select.tsx';
import { EmptyState, QueryView, Skeleton } from '../ui/states.tsx';
import { AdminPage } from './admin-page.tsx';
import { shortId, useUserNames } from './admin-queries.ts';
import { AUDIT_ACTIONS } from './audit-actions.ts';
import type { AuditSearch } from './audit-search.ts';

const PER_PAGE = 50;
const ALL = 'all';

const route = getRouteApi('/admin/audit');

export function AuditPage() {
  const { user: self } = useSession();
  const { user, action } = route.useSearch();
  const navigate = useNavigate({ from: '/admin/audit' });
  const [skip, setSkip] = useState(0);
  const [open, setOpen] = useState<AuditEntry | null>(null);
  const log = useQuery({
    queryKey: [...keys.admin, 'audit', { user, action }, skip],
    enabled: self.role === 'owner',
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) =>
      cloud().admin.auditLog({
        signal,
        skip,
        limit: PER_PAGE,
        ...(user !== undefined && { userId: user }),
        ...(action !== undefined && { action }),
      }),
  });
  const names = useUserNames([...(log.data?.items ?? []).map(({ userId }) => userId), user ?? null]);
  const set = (change: { readonly [Name in keyof AuditSearch]?: AuditSearch[Name] | undefined }): void => {
    setSkip(0);
    void navigate({ search: (present) => ({ ...defined({ ...present, ...change }) }), replace: true });
  };
  const actions = action === undefined || AUDIT_ACTIONS.includes(action) ? AUDIT_ACTIONS : [action, ...AUDIT_ACTIONS];
  const choices: readonly Choice<string>[] = [
    { id: ALL, label: 'All actions' },
    ...actions.map((id) => ({ id, label: id })),
  ];
  const count = [user, action].filter((value) => value !== undefined).length;
  return (
    <AdminPage title="Audit log">
      <FilterBar count={count} onClear={() => set({ user: undefined, action: undefined })}>
        <Select
          label="Action"
          isLabelHidden
          size="small"
          value={action ?? ALL}
          onChange={(next) => set({ action: next === ALL ? undefined : next })}
          choices={choices}
        />
        {user !== undefined && (
          <Button size="small" icon="close" onPress={() => set({ user: undefined })}>
            {`By ${names.get(user) ?? shortId(user)}`}
          </Button>
        )}
      </FilterBar>
      <QueryView query={log} skeleton={<Skeleton rows={8} height="2.75rem" />}>
        {({ items, total }) => (
          <section className="ui-stack">
            <p className="ui-muted ui-number">{formatPlural(total, 'entry', 'entries')}</p>
            <DataTable
              label="Audit log"
              columns={columnsOf(names)}
              items={items}
              idOf={({ id }) => String(id)}
              onOpen={setOpen}
              empty={<EmptyState text="No entry matches these filters." />}
            />
            <Pager label="Pages of the audit log" skip={skip} limit={PER_PAGE} total={total} onSkip={setSkip} />
          </section>
        )}
      </QueryView>
      {open !== null && (
        <EntryDialog
          entry={open}
          name={open.userId === null ? null : (names.get(open.userId) ?? null)}
          onClose={() => setOpen(null)}
          onUser={(id) => {
            setOpen(null);
            set({ user: id });
          }}
        />
      )}
    </AdminPage>
  );
}

function columnsOf(names: ReadonlyMap<string, string>): readonly TableColumn<AuditEntry>[] {
  return [
    { id: 'action', name: 'Action', isTitle: true, cell: ({ action }) => <code>{action}</code> },
    {
      id: 'user',
      name: 'By',
      cell: ({ userId }) => (
        <span className="admin-name">{userId === null ? 'not signed in' : (names.get(userId) ?? shortId(userId))}</span>
      ),
    },
    {
      id: 'subject',
      name: 'Object',
      cell: ({ subject }) =>
        subject === null ? '–' : <span className="admin-name">{names.get(subject) ?? shortId(subject)}</span>,
    },
    { id: 'address', name: 'From', cell: ({ address }) => <span className="admin-name">{address ?? '–'}</span> },
    { id: 'at', name: 'When', width: '8rem', cell: ({ at }) => <RelativeTime at={at} /> },
  ];
}

function EntryDialog({
  entry,
  name,
  onClose,
  onUser,
}: {
  readonly entry: AuditEntry;
  readonly name: string | null;
  readonly onClose: () => void;
  readonly onUser: (id: string) => void;
}) {
  const { userId } = entry;
  return (
    <Dialog
      title={entry.action}
      wide
      isOpen
      onClose={onClose}
      actions={
        <>
          {userId !== null && <Button onPress={() => onUser(userId)}>{`All by ${name ?? shortId(userId)}`}</Button>}
          <Button look="primary" onPress={onClose}>
            Close
          </Button>
        </>
      }
    >
      <Json value={entry} label="the entry" />
    </Dialog>
  );
}
