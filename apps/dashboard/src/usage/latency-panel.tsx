import { useQuery } from '@tanstack/react-query';
import { Chart } from '../ui/chart.tsx';
import { formatDuration } from '../ui/formats.ts';
import { QueryView, Skeleton } from '../ui/states.tsx';
import { latencyQuery } from './counts-query.ts';
import type { UsageOwner } from './usage-query.ts';
import { formatBucket, type UsageRange } from './usage-range.ts';
import { latencySeries } from './usage-series.ts';

export function LatencyPanel({ range, owner }: { readonly range: UsageRange; readonly owner: UsageOwner }) {
  const latency = useQuery(latencyQuery(range, owner.project.id));
  return (
    <section className="ui-panel ui-stack">
      <QueryView query={latency} skeleton={<Skeleton rows={6} height="2rem" />}>
        {(data) => (
          <>
            <Chart
              label="Time from the acceptance to the end"
              kind="lines"
              places={range.buckets.map(formatBucket)}
              series={latencySeries(data, range)}
              format={formatDuration}
            />
            <dl className="usage-times">
              {(
                [
                  ['to the first evaluation', data.overall.queued],
                  ['to the first token', data.overall.firstToken],
                  ['to the end', data.overall.total],
                ] as const
              ).map(([name, { p50Ms, p95Ms, p99Ms }]) => (
                <div key={name}>
                  <dt>{name}</dt>
                  <dd className="ui-number">
                    {p50Ms === null ? '–' : [p50Ms, p95Ms, p99Ms].map((ms) => formatDuration(ms ?? 0)).join(' · ')}
                  </dd>
                </div>
              ))}
            </dl>
            <p className="ui-hint">Half, 95 % and 99 % of the complete runs are as fast, exact to 5 %.</p>
          </>
        )}
      </QueryView>
    </section>
  );
}
