import { useQuery } from '@tanstack/react-query';
import { Chart } from '../ui/chart.tsx';
import { DataTable } from '../ui/data-table.tsx';
import { formatCount } from '../ui/formats.ts';
import { EmptyState, QueryView, Skeleton } from '../ui/states.tsx';
import { errorsQuery } from './counts-query.ts';
import type { UsageOwner } from './usage-query.ts';
import { formatBucket, type UsageRange } from './usage-range.ts';
import { errorSeries } from './usage-series.ts';

export function ErrorsPanel({ range, owner }: { readonly range: UsageRange; readonly owner: UsageOwner }) {
  const errors = useQuery(errorsQuery(range, owner.project.id));
  return (
    <section className="ui-panel ui-stack">
      <QueryView query={errors} skeleton={<Skeleton rows={6} height="2rem" />}>
        {(data) =>
          data.total.length === 0 ? (
            <>
              <h2>Errors by code</h2>
              <EmptyState text="No run failed, and no request was refused." />
            </>
          ) : (
            <>
              <Chart
                label="Failed runs and refused requests"
                places={range.buckets.map(formatBucket)}
                series={errorSeries(data, range)}
                isLastIncomplete={range.isOpen}
              />
              <DataTable
                label="Errors by code"
                items={data.total}
                idOf={({ code }) => code}
                columns={[
                  { id: 'code', name: 'Code', isTitle: true, cell: ({ code }) => <code>{code}</code> },
                  { id: 'count', name: 'Count', align: 'end', width: '6rem', cell: ({ count }) => formatCount(count) },
                ]}
              />
            </>
          )
        }
      </QueryView>
    </section>
  );
}
