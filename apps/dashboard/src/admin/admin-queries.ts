/** What several pages of the owners of the server read. */
import { queryOptions, useQueries } from '@tanstack/react-query';
import { cloud } from '../api/cloud.ts';
import { keys } from '../api/keys.ts';

const OVERVIEW_POLL_MS = 5_000;

export const overviewQuery = queryOptions({
  queryKey: [...keys.admin, 'overview'],
  refetchInterval: OVERVIEW_POLL_MS,
  queryFn: ({ signal }) => cloud().admin.overview({ signal }),
});

/** The plans of the server and the requests of its users. */
export const plansQuery = queryOptions({
  queryKey: keys.plans,
  queryFn: ({ signal }) => cloud().plans.list({ signal }),
});

/** Names by the ids of users; those that are deleted, or not read yet, are absent. */
export function useUserNames(ids: readonly (string | null)[]): ReadonlyMap<string, string> {
  const wanted = [...new Set(ids)].filter((id) => id !== null);
  return useQueries({
    queries: wanted.map((id) => ({
      queryKey: [...keys.admin, 'user', id],
      staleTime: 5 * 60_000,
      retry: false,
      queryFn: ({ signal }: { readonly signal: AbortSignal }) => cloud().users.get(id, { signal }),
    })),
    combine: (found) => new Map(found.flatMap(({ data }) => (data === undefined ? [] : [[data.id, data.username]]))),
  });
}

/** `user_35d4…1822` */
export function shortId(id: string): string {
  const [, kind, digits] = /^(.*_)([0-9a-f]{32})$/.exec(id) ?? [];
  return kind === undefined || digits === undefined ? id : `${kind}${digits.slice(0, 4)}…${digits.slice(-4)}`;
}
