import { queryOptions } from '@tanstack/react-query';
import { cloud } from './cloud.ts';
import { keys } from './keys.ts';

/** What the server offers to users who are not signed in. */
export const serverQuery = queryOptions({
  queryKey: keys.server,
  staleTime: 5 * 60_000,
  queryFn: ({ signal }) => cloud().server.get({ signal }),
});
