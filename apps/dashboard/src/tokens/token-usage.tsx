/** What each token has used in the last 30 days. */
import { useQuery } from '@tanstack/react-query';
import { cloud } from '../api/cloud.ts';
import { keys } from '../api/keys.ts';
import { formatCount, formatShort } from '../ui/formats.ts';
import { DAYS, daysUntil, type UsageByToken, usageByToken } from './usage-by-token.ts';

const MAX_TOKENS = 50;

export function useTokenUsage(): UsageByToken | undefined {
  const { data } = useQuery({
    queryKey: [...keys.usage, 'tokens', DAYS],
    staleTime: 60_000,
    queryFn: async ({ signal }) => {
      const days = daysUntil(new Date());
      const projectId = cloud().projectId ?? undefined;
      const { rows } = await cloud().usage.get({
        signal,
        from: days[0] ?? '',
        bucket: 'day',
        groupBy: 'token',
        top: MAX_TOKENS,
        ...(projectId && { projectId }),
      });
      return usageByToken(rows, days);
    },
  });
  return data;
}

const BAR = 2;
const GAP = 1;
const HEIGHT = 16;
const WIDTH = DAYS * (BAR + GAP) - GAP;

/** A bar for each day, and the sum. Each token has a scale of its own: the figure beside it compares. */
export function TokenUsage({ usage, tokenId }: { readonly usage: UsageByToken | undefined; readonly tokenId: string }) {
  if (usage === undefined) return <span className="ui-muted">–</span>;
  const days = usage.get(tokenId) ?? [];
  const total = days.reduce((sum, used) => sum + used, 0);
  const most = Math.max(...days, 1);
  return (
    <span className="tokens-usage" title={`${formatCount(total)} tokens in ${DAYS} days`}>
      {total > 0 && (
        <svg className="tokens-spark" width={WIDTH} height={HEIGHT} aria-hidden="true">
          {days.map((used, day) => {
            const height = used === 0 ? 0 : Math.max(1, (used / most) * HEIGHT);
            // biome-ignore lint/suspicious/noArrayIndexKey: days keep their order.
            return <rect key={day} x={day * (BAR + GAP)} y={HEIGHT - height} width={BAR} height={height} />;
          })}
        </svg>
      )}
      <span className="ui-number">{formatShort(total)}</span>
    </span>
  );
}
