import { useQuery } from '@tanstack/react-query';
import { Figure, Figures } from '../ui/figure.tsx';
import { formatCount, formatDuration, formatPercent, formatShort } from '../ui/formats.ts';
import { QueryView, Skeleton } from '../ui/states.tsx';
import { errorsQuery, latencyQuery } from './counts-query.ts';
import { totalsQuery, type UsageOwner } from './usage-query.ts';
import type { UsageRange } from './usage-range.ts';
import { changeOf } from './usage-series.ts';

/** Sums of the project, with the change from the range of the same length before. */
export function UsageFigures({ range, owner }: { readonly range: UsageRange; readonly owner: UsageOwner }) {
  const { id } = owner.project;
  const totals = useQuery(totalsQuery(range, id));
  const { data: errors } = useQuery(errorsQuery(range, id));
  const { data: latency } = useQuery(latencyQuery(range, id));
  const failures = errors?.total.reduce((sum, { count }) => sum + count, 0);
  const times = latency?.overall.total;
  return (
    <QueryView query={totals} skeleton={<Skeleton rows={1} height="3.25rem" />}>
      {({ now, before }) => (
        <Figures>
          <Figure name="Runs" value={formatCount(now.runs)} change={changeOf(now.runs, before.runs)} />
          <Figure
            name="Computed tokens"
            value={<span title={formatCount(now.computedTokens)}>{formatShort(now.computedTokens)}</span>}
            change={changeOf(now.computedTokens, before.computedTokens)}
          />
          <Figure
            name="Compute time"
            value={formatDuration(now.computeMs)}
            change={changeOf(now.computeMs, before.computeMs)}
          />
          <Figure name="Errors" value={failures === undefined ? '–' : formatCount(failures)} />
          <Figure
            name="Prompts from the cache"
            value={now.promptTokens === 0 ? '–' : formatPercent(now.cachedTokens / now.promptTokens)}
          />
          <Figure
            name="Time, p50 and p95"
            value={
              times?.p50Ms == null
                ? '–'
                : `${formatDuration(times.p50Ms)}, ${formatDuration(times.p95Ms ?? times.p50Ms)}`
            }
          />
        </Figures>
      )}
    </QueryView>
  );
}
