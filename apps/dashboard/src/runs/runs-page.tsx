import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useRef, useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { keys } from '../api/keys.ts';
import { Button } from '../ui/button.tsx';
import { FilterBar } from '../ui/filter-bar.tsx';
import { formatPlural } from '../ui/formats.ts';
import { useIsPhone } from '../ui/media.ts';
import { PageHead } from '../ui/page-head.tsx';
import { defined } from '../ui/search-values.ts';
import { type Choice, Select } from '../ui/select.tsx';
import { EmptyState, QueryView, Skeleton } from '../ui/states.tsx';
import { ExportMenu } from './export-menu.tsx';
import { RunTable } from './run-table.tsx';
import { isByFigure, orderOf, RUN_ORDERS, type RunsSearch } from './runs-search.ts';
import { useRunList } from './use-run-list.ts';
import './room.css';

const DeleteRuns = lazy(async () => ({ default: (await import('./delete-runs.tsx')).DeleteRuns }));
const NoRuns = lazy(async () => ({ default: (await import('./no-runs.tsx')).NoRuns }));

const ALL = 'all';
const STATES: readonly Choice<string>[] = [
  { id: ALL, label: 'All states' },
  { id: 'open', label: 'Waiting or running' },
  { id: 'complete', label: 'Complete' },
  { id: 'failed', label: 'Failed' },
];
const RANGES: readonly Choice<string>[] = [
  { id: ALL, label: 'Any time' },
  { id: 'hour', label: 'Last hour' },
  { id: 'day', label: 'Last 24 hours' },
  { id: '7d', label: 'Last 7 days' },
  { id: '30d', label: 'Last 30 days' },
];
/** On a phone, which has no heads of columns to press. */
const NEWEST = 'newest';
const ORDERS: readonly Choice<string>[] = [
  { id: NEWEST, label: 'Newest first' },
  { id: 'oldest', label: 'Oldest first' },
  { id: 'slowest', label: 'Longest time first' },
  { id: 'fastest', label: 'Shortest time first' },
  { id: 'largest', label: 'Most tokens first' },
  { id: 'smallest', label: 'Fewest tokens first' },
];
const MAX_TOKENS = 100;

export function RunsPage() {
  const search = getRouteApi('/runs').useSearch();
  const navigate = useNavigate({ from: '/runs' });
  const isPhone = useIsPhone();
  const box = useRef<HTMLDivElement>(null);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [isDeleting, setDeleting] = useState(false);
  // Rows must not move below the pointer, below the focus, or while the reader is further down.
  const list = useRunList(search, () => {
    const element = box.current;
    if (element === null) return false;
    const scrolled = element.querySelector('[role=grid]')?.scrollTop ?? 0;
    return element.matches(':hover') || element.contains(document.activeElement) || scrolled > 0;
  });
  const set = (change: { readonly [Name in keyof RunsSearch]?: RunsSearch[Name] | undefined }): void => {
    setSelected(new Set());
    void navigate({ search: (present) => ({ ...defined({ ...present, ...change }) }), replace: true });
  };
  const count = [search.state, search.token, search.range, search.q].filter((value) => value !== undefined).length;
  const clear = (): void => set({ state: undefined, token: undefined, range: undefined, q: undefined });
  const order = orderOf(search);
  const canOrderByFigure = search.q === undefined;
  // Not all runs are counted then.
  const ordered = isByFigure(order) ? ORDERS.find(({ id }) => id === order)?.label : undefined;
  const chosen = list.runs.filter(({ id }) => selected.has(id));
  return (
    <div className="ui-page runs-page">
      <PageHead title="Runs" beside={<Live isLive={list.isLive} />} />
      <FilterBar
        search={{ label: 'Text or id', value: search.q ?? '', onChange: (q) => set({ q: q === '' ? undefined : q }) }}
        count={count}
        onClear={clear}
        end={<ExportMenu filter={list.filter} selected={chosen} total={list.total} />}
      >
        <Select
          label="State"
          isLabelHidden
          size="small"
          value={search.state ?? ALL}
          onChange={(state) => set({ state: stateOf(state) })}
          choices={STATES}
        />
        <TokenFilter value={search.token} onChange={(token) => set({ token })} />
        <Select
          label="Time"
          isLabelHidden
          size="small"
          value={search.range ?? ALL}
          onChange={(range) => set({ range: rangeOf(range) })}
          choices={RANGES}
        />
        {isPhone && (
          <Select
            label="Order"
            isLabelHidden
            size="small"
            value={order ?? NEWEST}
            onChange={(chosen) => set({ order: RUN_ORDERS.find((each) => each === chosen) })}
            choices={canOrderByFigure ? ORDERS : ORDERS.slice(0, 2)}
          />
        )}
      </FilterBar>
      <QueryView query={list.query} skeleton={<Skeleton rows={10} height="2.75rem" />}>
        {() => (
          <div className="runs-list" ref={box}>
            <p className="runs-count" aria-live="off">
              {chosen.length > 0 ? (
                <span className="ui-actions">
                  {formatPlural(chosen.length, 'run')} selected
                  <Button size="small" icon="trash" look="danger" onPress={() => setDeleting(true)}>
                    Delete
                  </Button>
                  <Button size="small" look="quiet" onPress={() => setSelected(new Set())}>
                    Select none
                  </Button>
                </span>
              ) : (
                <span className="ui-muted ui-number">
                  {ordered === undefined ? formatPlural(list.total, 'run') : `Ended runs, ${ordered.toLowerCase()}`}
                </span>
              )}
              {list.held > 0 && (
                <Button size="small" icon="up" onPress={list.showHeld}>
                  Show {formatPlural(list.held, 'new run')}
                </Button>
              )}
            </p>
            <RunTable
              runs={list.runs}
              selected={selected}
              onSelect={setSelected}
              order={order}
              onOrder={(chosen) => set({ order: chosen })}
              canOrderByFigure={canOrderByFigure}
              onOpen={({ id }) => void navigate({ to: '/runs/$runId', params: { runId: id } })}
              onCancel={list.cancel}
              isLoadingMore={list.query.isFetchingNextPage}
              onMore={() => {
                if (list.query.hasNextPage && !list.query.isFetchingNextPage) void list.query.fetchNextPage();
              }}
              hasMore={list.query.hasNextPage}
              empty={
                count > 0 ? (
                  <NothingMatches onClear={clear} />
                ) : (
                  <Suspense fallback={<Skeleton rows={4} />}>
                    <NoRuns />
                  </Suspense>
                )
              }
            />
          </div>
        )}
      </QueryView>
      {isDeleting && (
        <Suspense>
          <DeleteRuns
            runs={chosen}
            onClose={() => setDeleting(false)}
            onDeleted={(ids) => {
              list.remove(ids);
              setSelected(new Set());
            }}
          />
        </Suspense>
      )}
    </div>
  );
}

function stateOf(value: string): RunsSearch['state'] {
  return value === 'open' || value === 'complete' || value === 'failed' ? value : undefined;
}

function rangeOf(value: string): RunsSearch['range'] {
  return value === 'hour' || value === 'day' || value === '7d' || value === '30d' ? value : undefined;
}

function Live({ isLive }: { readonly isLive: boolean }) {
  return (
    <span className={isLive ? 'runs-live runs-live-on' : 'runs-live'}>
      <span className="runs-live-dot" aria-hidden="true" />
      {isLive ? 'live' : 'connecting'}
    </span>
  );
}

function TokenFilter({
  value,
  onChange,
}: {
  readonly value: string | undefined;
  readonly onChange: (token: string | undefined) => void;
}) {
  const { data: tokens = [] } = useQuery({
    queryKey: keys.tokens,
    queryFn: async ({ signal }) => (await cloud().tokens.list({ signal, limit: MAX_TOKENS })).items,
  });
  const known = tokens.map(({ id, name }) => ({ id, label: name }));
  const choices: readonly Choice<string>[] = [
    { id: ALL, label: 'All tokens' },
    { id: 'session', label: 'Browser sessions' },
    ...known,
    // A deleted token, or one of another member.
    ...(value === undefined || value === 'session' || known.some(({ id }) => id === value)
      ? []
      : [{ id: value, label: 'Another token' }]),
  ];
  return (
    <Select
      label="Token"
      isLabelHidden
      size="small"
      value={value ?? ALL}
      onChange={(token) => onChange(token === ALL ? undefined : token)}
      choices={choices}
    />
  );
}

function NothingMatches({ onClear }: { readonly onClear: () => void }) {
  return (
    <EmptyState
      text="No run matches the filters."
      action={
        <Button icon="close" onPress={onClear}>
          Clear the filters
        </Button>
      }
    />
  );
}
