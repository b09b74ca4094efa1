import type { UsageSums } from '@gptj-cloud/sdk';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { ButtonLink } from '../ui/button.tsx';
import { Chart } from '../ui/chart.tsx';
import { DataTable, type TableColumn } from '../ui/data-table.tsx';
import { formatCount, formatDuration } from '../ui/formats.ts';
import { EmptyState, QueryView, Skeleton } from '../ui/states.tsx';
import { rowsQuery, type UsageBy, type UsageOwner } from './usage-query.ts';
import { formatBucket, type UsageRange } from './usage-range.ts';
import { bucketSums, tokenSeries, totalsOf } from './usage-series.ts';

const NAMES: Readonly<Record<UsageBy, string>> = {
  total: '',
  token: 'Token',
  pipeline: 'Pipeline',
  project: 'Project',
};

interface SumRow extends UsageSums {
  readonly id: string;
  readonly label: ReactNode;
}

/** Tokens over time, divided by a key, and the same numbers in a table. */
export function TokensPanel({
  range,
  by,
  owner,
}: {
  readonly range: UsageRange;
  readonly by: UsageBy;
  readonly owner: UsageOwner;
}) {
  const usage = useQuery(rowsQuery(range, by, owner));
  const label = `Computed tokens per ${range.bucket}`;
  return (
    <section className="ui-panel ui-stack">
      <QueryView query={usage} skeleton={<Skeleton rows={6} height="2rem" />}>
        {(rows) => {
          const series = tokenSeries(rows, range, by);
          const shown = series.length === 0 ? [{ name: 'tokens', values: range.buckets.map(() => 0) }] : series;
          return (
            <>
              <Chart
                label={label}
                places={range.buckets.map(formatBucket)}
                series={shown}
                isLastIncomplete={range.isOpen}
              />
              <DataTable
                label={by === 'total' ? `Usage per ${range.bucket}` : `Usage by ${by}`}
                items={
                  by === 'total'
                    ? bucketSums(rows, range)
                        .filter(({ runs }) => runs > 0)
                        .map((sums): SumRow => ({ ...sums, id: sums.bucket, label: formatBucket(sums.bucket) }))
                        .reverse()
                    : totalsOf(rows, by).map((total): SumRow => ({ ...total, id: total.key, label: total.name }))
                }
                idOf={({ id }) => id}
                columns={columnsOf(by === 'total' ? (range.bucket === 'hour' ? 'Hour' : 'Day') : NAMES[by])}
                empty={
                  <EmptyState
                    text="Nothing was used in this time. Runs appear here within a second."
                    action={<ButtonLink to="/playground">Write in the playground</ButtonLink>}
                  />
                }
              />
            </>
          );
        }}
      </QueryView>
    </section>
  );
}

function columnsOf(first: string): readonly TableColumn<SumRow>[] {
  const count = (id: string, name: string, of: (sums: UsageSums) => number): TableColumn<SumRow> => ({
    id,
    name,
    align: 'end',
    cell: (row) => formatCount(of(row)),
  });
  return [
    { id: 'key', name: first, isTitle: true, cell: ({ label }) => label },
    count('runs', 'Runs', ({ runs }) => runs),
    count('prompt', 'Prompt tokens', ({ promptTokens }) => promptTokens),
    count('generated', 'Generated', ({ generatedTokens }) => generatedTokens),
    count('cached', 'From the cache', ({ cachedTokens }) => cachedTokens),
    count('computed', 'Computed tokens', ({ computedTokens }) => computedTokens),
    {
      id: 'time',
      name: 'Compute time',
      align: 'end',
      cell: ({ computeMs }) => formatDuration(computeMs),
    },
  ];
}
