/** What each token has used in the last 30 days. */
import { useQuery } from '@tanstack/react-query';
import { cloud } from '../api/cloud.ts';
import { keys } from '../api/keys.ts';
import { formatCount, formatShort } from '../ui/formats.ts';

const DAYS = 30;
const DAY_MS = 86_400_000;

/** Computed tokens by token id, or undefined until they are known. */
export type UsageByToken = ReadonlyMap<string, number> | undefined;

export function useTokenUsage(): UsageByToken {
  const { data } = useQuery({
    queryKey: [...keys.usage, 'tokens', DAYS],
    staleTime: 60_000,
    queryFn: async ({ signal }) => {
      const project = cloud().projectId ?? undefined;
      const from = new Date(Date.now() - (DAYS - 1) * DAY_MS).toISOString().slice(0, 10);
      const { rows } = await cloud().usage.get({
        signal,
        from,
        groupBy: 'token',
        ...(project && { projectId: project }),
      });
      return new Map(rows.map(({ key, computedTokens }) => [key, computedTokens]));
    },
  });
  return data;
}

/** A figure and a bar beside those of the other tokens. */
export function TokenUsage({
  usage,
  tokenId,
  name,
}: {
  readonly usage: UsageByToken;
  readonly tokenId: string;
  readonly name: string;
}) {
  if (usage === undefined) return <span className="ui-muted">–</span>;
  const used = usage.get(tokenId) ?? 0;
  const most = Math.max(1, ...usage.values());
  return (
    <span className="tokens-usage" title={`${name}: ${formatCount(used)} tokens in 30 days`}>
      <span className="tokens-bar" aria-hidden="true">
        <span style={{ width: `${(used / most) * 100}%` }} />
      </span>
      <span className="ui-number">{formatShort(used)}</span>
    </span>
  );
}
