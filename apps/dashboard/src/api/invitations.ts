import { queryOptions } from '@tanstack/react-query';
import { problemOf } from '../ui/problem.ts';
import { cloud } from './cloud.ts';
import { keys } from './keys.ts';

/** Invitations to the signed-in user. */
export const invitationsQuery = queryOptions({
  queryKey: keys.invitations,
  staleTime: 60_000,
  queryFn: async ({ signal }) => {
    try {
      return await cloud().invitations.list({ signal });
    } catch (error) {
      // Invitations to an address that is not confirmed are not shown; the account works without them.
      if (problemOf(error).code === 'email_unverified') return [];
      throw error;
    }
  },
});
