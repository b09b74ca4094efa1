import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useProject } from '../api/project.ts';
import { projectsQuery, useSession } from '../api/session.ts';
import { Button } from '../ui/button.tsx';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { Field } from '../ui/field.tsx';
import { FilterBar } from '../ui/filter-bar.tsx';
import { formatCount } from '../ui/formats.ts';
import { PageHead } from '../ui/page-head.tsx';
import { defined } from '../ui/search-values.ts';
import { type Choice, Select } from '../ui/select.tsx';
import { EmptyState, Skeleton } from '../ui/states.tsx';
import { errorsQuery, latencyQuery } from './counts-query.ts';
import { CsvButton } from './csv-button.tsx';
import { ErrorsPanel } from './errors-panel.tsx';
import { InvoicePanel } from './invoice-panel.tsx';
import { LatencyPanel } from './latency-panel.tsx';
import { TokensPanel } from './tokens-panel.tsx';
import { UsageFigures } from './usage-figures.tsx';
import { invoiceQuery, rowsQuery, totalsQuery, type UsageBy, type UsageOwner } from './usage-query.ts';
import { countDays, daysOf, longestDays, MAX_DAYS, rangeOf, type UsageRange } from './usage-range.ts';
import type { UsageSearch } from './usage-search.ts';
import './room.css';

type RangeName = NonNullable<UsageSearch['range']>;

const RANGES: readonly Choice<RangeName>[] = [
  { id: 'today', label: 'Today' },
  { id: '7d', label: 'Last 7 days' },
  { id: 'month', label: 'This month' },
  { id: 'custom', label: 'Other days' },
];
const BY: readonly Choice<UsageBy>[] = [
  { id: 'total', label: 'In total' },
  { id: 'token', label: 'By token' },
  { id: 'pipeline', label: 'By pipeline' },
  { id: 'project', label: 'By project' },
];

export function UsagePage() {
  const search = getRouteApi('/usage').useSearch();
  const navigate = useNavigate({ from: '/usage' });
  const { range: name = 'month', by = 'total' } = search;
  const project = useProject();
  const { user } = useSession();
  const { data: projects = [] } = useQuery(projectsQuery);
  const hour = Math.floor(Date.now() / 3_600_000);
  const days = useMemo(() => daysOf(search, new Date(hour * 3_600_000)), [search, hour]);
  const range = useMemo(() => rangeOf(days, new Date(hour * 3_600_000)), [days, hour]);
  const set = (change: { readonly [Name in keyof UsageSearch]?: UsageSearch[Name] | undefined }): void =>
    void navigate({ search: (present) => defined({ ...present, ...change }), replace: true });
  const owner: UsageOwner | null =
    project === undefined ? null : { project, projects, isServerOwner: user.role === 'owner' };
  return (
    <div className="ui-page">
      <PageHead title="Usage" beside={<span className="ui-muted">days and hours in UTC</span>} />
      <FilterBar end={range !== null && owner !== null && <CsvButton range={range} projectId={owner.project.id} />}>
        <Select
          label="Time"
          isLabelHidden
          size="small"
          value={name}
          onChange={(next) => set({ range: next, ...(next === 'custom' ? days : { from: undefined, to: undefined }) })}
          choices={RANGES}
        />
        {name === 'custom' && (
          <div className="usage-days">
            <Field label="From" type="date" value={days.from} onChange={(from) => from !== '' && set({ from })} />
            <Field label="To" type="date" value={days.to} onChange={(to) => to !== '' && set({ to })} />
          </div>
        )}
        <Select
          label="Divided"
          isLabelHidden
          size="small"
          value={by}
          onChange={(next) => set({ by: next })}
          choices={BY}
        />
      </FilterBar>
      {range === null ? (
        <TooLong days={days} onShorten={() => set({ range: 'custom', ...longestDays(days.to) })} />
      ) : owner === null ? (
        <Skeleton rows={8} height="2rem" />
      ) : (
        <Panels range={range} by={by} owner={owner} />
      )}
    </div>
  );
}

function Panels({
  range,
  by,
  owner,
}: {
  readonly range: UsageRange;
  readonly by: UsageBy;
  readonly owner: UsageOwner;
}) {
  const { id } = owner.project;
  const month = range.to.slice(0, 7);
  const totals = useQuery(totalsQuery(range, id));
  const parts = [
    totals,
    useQuery(rowsQuery(range, by, owner)),
    useQuery(latencyQuery(range, id)),
    useQuery(errorsQuery(range, id)),
    useQuery(invoiceQuery(month)),
  ];
  // One message for all panels.
  if (totals.data === undefined && totals.error !== null) {
    return <ErrorPanel error={totals.error} onRetry={() => void totals.refetch()} />;
  }
  // Panels of unlike heights would move one another if each came by itself.
  if (parts.some(({ data, error }) => data === undefined && error === null))
    return <Skeleton rows={12} height="3rem" />;
  return (
    <>
      <UsageFigures range={range} owner={owner} />
      <TokensPanel range={range} by={by} owner={owner} />
      <div className="usage-columns">
        <LatencyPanel range={range} owner={owner} />
        <ErrorsPanel range={range} owner={owner} />
      </div>
      <InvoicePanel month={month} />
      <p className="ui-hint">
        Completions of the compatible interfaces (/v1, /generate) count here, and are not listed under Runs.
      </p>
    </>
  );
}

function TooLong({
  days,
  onShorten,
}: {
  readonly days: { readonly from: string; readonly to: string };
  readonly onShorten: () => void;
}) {
  return (
    <EmptyState
      text={`${formatCount(countDays(days.from, days.to))} days are more than the ${MAX_DAYS} that are summed at once.`}
      action={
        <Button look="primary" onPress={onShorten}>
          Show the {MAX_DAYS} days up to {days.to}
        </Button>
      }
    />
  );
}
