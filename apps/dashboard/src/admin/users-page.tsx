import type { ListedUser } from '@gptj-cloud/sdk';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { keys } from '../api/keys.ts';
import { useSession } from '../api/session.ts';
import { DataTable, type TableColumn } from '../ui/data-table.tsx';
import { FilterBar } from '../ui/filter-bar.tsx';
import { formatCount, formatPlural } from '../ui/formats.ts';
import { Pager } from '../ui/pager.tsx';
import { RelativeTime } from '../ui/relative-time.tsx';
import { defined } from '../ui/search-values.ts';
import { type Choice, Select } from '../ui/select.tsx';
import { StateBadge } from '../ui/state-badge.tsx';
import { EmptyState, QueryView, Skeleton } from '../ui/states.tsx';
import { AdminPage } from './admin-page.tsx';
import { plansQuery } from './admin-queries.ts';
import { UserMenu } from './user-menu.tsx';
import type { UsersSearch } from './users-search.ts';

const PER_PAGE = 50;
const ALL = 'all';
const ROLES: readonly Choice<'all' | 'owner' | 'member'>[] = [
  { id: ALL, label: 'All roles' },
  { id: 'owner', label: 'Owners' },
  { id: 'member', label: 'Members' },
];
const STATES: readonly Choice<'all' | 'yes' | 'no'>[] = [
  { id: ALL, label: 'All states' },
  { id: 'no', label: 'Enabled' },
  { id: 'yes', label: 'Disabled' },
];

const route = getRouteApi('/admin/users');

export function UsersPage() {
  const { user } = useSession();
  const { q, role, plan, disabled } = route.useSearch();
  const navigate = useNavigate({ from: '/admin/users' });
  const [skip, setSkip] = useState(0);
  const isOwner = user.role === 'owner';
  const plans = useQuery({ ...plansQuery, enabled: isOwner });
  const users = useQuery({
    queryKey: [...keys.admin, 'users', { q, role, plan, disabled }, skip],
    enabled: isOwner,
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) =>
      cloud().users.list({
        signal,
        skip,
        limit: PER_PAGE,
        text: q,
        role,
        planId: plan,
        disabled: disabled === undefined ? undefined : disabled === 'yes',
      }),
  });
  const set = (change: { readonly [Name in keyof UsersSearch]?: UsersSearch[Name] | undefined }): void => {
    setSkip(0);
    void navigate({ search: (present) => ({ ...defined({ ...present, ...change }) }), replace: true });
  };
  const count = [q, role, plan, disabled].filter((value) => value !== undefined).length;
  const planChoices: readonly Choice<string>[] = [
    { id: ALL, label: 'All plans' },
    ...(plans.data?.plans ?? []).map(({ id, name }) => ({ id, label: name })),
  ];
  const clear = (): void => set({ q: undefined, role: undefined, plan: undefined, disabled: undefined });
  return (
    <AdminPage title="Users">
      <FilterBar
        search={{
          label: 'Name or address',
          value: q ?? '',
          onChange: (text) => set({ q: text === '' ? undefined : text }),
        }}
        count={count}
        onClear={clear}
      >
        <Select
          label="Role"
          isLabelHidden
          size="small"
          value={role ?? ALL}
          onChange={(next) => set({ role: next === ALL ? undefined : next })}
          choices={ROLES}
        />
        <Select
          label="Plan"
          isLabelHidden
          size="small"
          value={plan ?? ALL}
          onChange={(next) => set({ plan: next === ALL ? undefined : next })}
          choices={planChoices}
        />
        <Select
          label="State"
          isLabelHidden
          size="small"
          value={disabled ?? ALL}
          onChange={(next) => set({ disabled: next === ALL ? undefined : next })}
          choices={STATES}
        />
      </FilterBar>
      <QueryView query={users} skeleton={<Skeleton rows={8} height="2.75rem" />}>
        {({ items, total }) => (
          <section className="ui-stack">
            <p className="ui-muted ui-number">{formatPlural(total, 'user')}</p>
            <DataTable
              label="Users"
              columns={columnsOf(new Map(planChoices.map(({ id, label }) => [id, label])), user.id)}
              items={items}
              idOf={({ id }) => id}
              empty={<EmptyState text="No user matches these filters." />}
            />
            <Pager label="Pages of users" skip={skip} limit={PER_PAGE} total={total} onSkip={setSkip} />
          </section>
        )}
      </QueryView>
    </AdminPage>
  );
}

function columnsOf(planNames: ReadonlyMap<string, string>, ownId: string): readonly TableColumn<ListedUser>[] {
  return [
    {
      id: 'name',
      name: 'User',
      isTitle: true,
      cell: ({ id, username, email, verified }) => (
        <span className="admin-user">
          <span className="admin-name">
            {username}
            {id === ownId && <span className="ui-muted"> (you)</span>}
          </span>
          <span className="ui-muted admin-mail">
            {email}
            {!verified && ', not confirmed'}
          </span>
        </span>
      ),
    },
    { id: 'role', name: 'Role', width: '6rem', cell: ({ role }) => role },
    {
      id: 'plan',
      name: 'Plan',
      width: '8rem',
      cell: ({ planId }) => (planId === null ? '–' : (planNames.get(planId) ?? planId)),
    },
    {
      id: 'state',
      name: 'State',
      width: '8rem',
      cell: ({ disabled }) => <StateBadge state={disabled ? 'disabled' : 'active'} />,
    },
    { id: 'factor', name: '2FA', width: '4rem', cell: ({ twoFactor }) => (twoFactor ? 'on' : 'off') },
    {
      id: 'runs',
      name: 'Runs, 30 days',
      width: '8rem',
      align: 'end',
      cell: ({ runs30Days }) => formatCount(runs30Days),
    },
    { id: 'seen', name: 'Last seen', width: '8rem', cell: ({ lastSeen }) => <RelativeTime at={lastSeen} /> },
    {
      id: 'actions',
      name: '',
      width: '3.5rem',
      align: 'end',
      cell: (user) => <UserMenu user={user} isSelf={user.id === ownId} />,
    },
  ];
}
