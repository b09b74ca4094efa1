import type { RunSummary } from '@gptj-cloud/sdk';
import type { ReactNode } from 'react';
import { Button, IconButton } from '../ui/button.tsx';
import { isCancelled } from '../ui/cancelled.ts';
import { DataTable, type DataTableProps, type TableColumn } from '../ui/data-table.tsx';
import { formatCount } from '../ui/formats.ts';
import { RelativeTime } from '../ui/relative-time.tsx';
import { formatCost, formatRunTime, formatSpeed, RunBadge } from '../ui/run-facts.tsx';
import { blankBefore, oneLine } from './run-text.ts';
import type { RunOrder } from './runs-search.ts';

/** Rows from which on only the visible ones are in the page. */
const VIRTUAL_FROM = 60;

export function RunTable({
  runs,
  selected,
  onSelect,
  order,
  onOrder,
  canOrderByFigure,
  onOpen,
  onCancel,
  onMore,
  hasMore,
  isLoadingMore,
  empty,
}: {
  readonly runs: readonly RunSummary[];
  readonly selected: ReadonlySet<string>;
  readonly onSelect: (ids: ReadonlySet<string>) => void;
  /** Undefined: newest first. */
  readonly order: RunOrder | undefined;
  readonly onOrder: (order: RunOrder | undefined) => void;
  /** By what ended runs took, beside the time of acceptance. */
  readonly canOrderByFigure: boolean;
  readonly onOpen: (run: RunSummary) => void;
  readonly onCancel: (id: string) => void;
  readonly onMore: () => void;
  readonly hasMore: boolean;
  readonly isLoadingMore: boolean;
  readonly empty: ReactNode;
}) {
  const columns: readonly TableColumn<RunSummary>[] = [
    {
      id: 'state',
      name: 'State',
      width: '6.75rem',
      cell: (run) => <RunBadge state={run.runState} exception={run.exception} />,
    },
    {
      id: 'started',
      name: 'Accepted',
      width: '5.75rem',
      isSortable: true,
      cell: (run) => <RelativeTime at={run.createdAt} />,
    },
    { id: 'text', name: 'Prompt and output', isTitle: true, width: '1fr', cell: (run) => <RunText run={run} /> },
    {
      id: 'tokens',
      name: 'Tokens',
      align: 'end',
      width: '6.5rem',
      isSortable: canOrderByFigure,
      cell: (run) => <Tokens run={run} />,
    },
    {
      id: 'time',
      name: 'Time',
      align: 'end',
      width: '5.5rem',
      isSortable: canOrderByFigure,
      cell: (run) => formatRunTime(run, new Date()),
    },
    { id: 'speed', name: 'Tokens/s', align: 'end', width: '4.75rem', cell: formatSpeed },
    { id: 'cost', name: 'Cost', align: 'end', width: '4.75rem', cell: (run) => formatCost(run.cost) },
    { id: 'by', name: 'By', width: '8.5rem', cell: (run) => <By run={run} /> },
    { id: 'actions', name: '', align: 'end', width: '3rem', cell: (run) => <Cancel run={run} onCancel={onCancel} /> },
  ];
  return (
    <DataTable
      label="Runs"
      items={runs}
      idOf={({ id }) => id}
      columns={columns}
      onOpen={onOpen}
      selected={selected}
      onSelect={onSelect}
      sort={sortOf(order)}
      onSort={({ column }) => onOrder(nextOrder(order, column))}
      isVirtual={runs.length >= VIRTUAL_FROM}
      card={(run) => <RunCard run={run} onCancel={onCancel} />}
      empty={empty}
      {...(hasMore && { more: { isLoading: isLoadingMore, onLoad: onMore } })}
    />
  );
}

type Sort = NonNullable<DataTableProps<RunSummary>['sort']>;

const SORTS: Readonly<Record<RunOrder, Sort>> = {
  oldest: { column: 'started', direction: 'ascending' },
  slowest: { column: 'time', direction: 'descending' },
  fastest: { column: 'time', direction: 'ascending' },
  largest: { column: 'tokens', direction: 'descending' },
  smallest: { column: 'tokens', direction: 'ascending' },
};

function sortOf(order: RunOrder | undefined): Sort {
  return order === undefined ? { column: 'started', direction: 'descending' } : SORTS[order];
}

/** The first press on a column puts the newest or the most at the top, for that is what is looked for; another one the least. */
function nextOrder(order: RunOrder | undefined, column: string): RunOrder | undefined {
  if (column === 'time') return order === 'slowest' ? 'fastest' : 'slowest';
  if (column === 'tokens') return order === 'largest' ? 'smallest' : 'largest';
  return order === undefined ? 'oldest' : undefined;
}

/** The prompt in ink, then what came of it. */
function RunText({ run }: { readonly run: RunSummary }) {
  const { promptHead, outputHead, exception, error } = run;
  return (
    <span className="runs-text">
      <bdi className="runs-prompt">{promptHead === null ? run.id : oneLine(promptHead)}</bdi>
      {error !== null || outputHead === null || promptHead === null ? ' ' : blankBefore(outputHead)}
      {error === null ? (
        outputHead !== null && <bdi className="runs-output">{oneLine(outputHead)}</bdi>
      ) : (
        <span className={isCancelled(exception) ? 'runs-cancelled' : 'runs-exception'}>{exception ?? error}</span>
      )}
    </span>
  );
}

function Tokens({ run: { usage } }: { readonly run: RunSummary }) {
  if (usage === null) return '–';
  const { promptTokens, generatedTokens } = usage;
  return (
    <span title={`${formatCount(promptTokens)} of the prompt, ${formatCount(generatedTokens)} generated`}>
      {formatCount(promptTokens)} + {formatCount(generatedTokens)}
    </span>
  );
}

function By({ run: { tokenId, tokenName } }: { readonly run: RunSummary }) {
  return <span className="ui-cut">{tokenId === null ? 'browser' : (tokenName ?? 'deleted token')}</span>;
}

function Cancel({ run, onCancel }: { readonly run: RunSummary; readonly onCancel: (id: string) => void }) {
  if (run.endedAt !== null) return null;
  return <IconButton label="Cancel the run" icon="stop" size="small" onPress={() => onCancel(run.id)} />;
}

function RunCard({ run, onCancel }: { readonly run: RunSummary; readonly onCancel: (id: string) => void }) {
  const facts = [
    formatRunTime(run, new Date()),
    run.usage === null ? null : `${formatCount(run.usage.promptTokens + run.usage.generatedTokens)} tokens`,
    run.tokenId === null ? 'browser' : (run.tokenName ?? 'deleted token'),
  ].filter((fact) => fact !== null);
  return (
    <>
      <div className="runs-card-head">
        <RunBadge state={run.runState} exception={run.exception} />
        <span className="ui-muted">
          <RelativeTime at={run.createdAt} />
        </span>
      </div>
      <div className="runs-card-text">
        <RunText run={run} />
      </div>
      <div className="runs-card-facts ui-muted ui-number">
        {facts.join(' · ')}
        {run.endedAt === null && (
          <Button size="small" icon="stop" onPress={() => onCancel(run.id)}>
            Cancel
          </Button>
        )}
      </div>
    </>
  );
}
