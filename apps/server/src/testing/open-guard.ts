import { callerOf, type Guard } from '../api/access/guard.ts';
import type { Principal } from '../identity/principal.ts';

/** A guard that takes every request for one of the principal's, without a session. */
export function openGuard(principal: Principal): Guard {
  return {
    limitHeaders: async () => ({}),
    authenticate: async (c) => ({
      principal,
      apiKey: undefined,
      signedIn: undefined,
      caller: callerOf(c, principal),
      requireConfirmation: async () => undefined,
    }),
    findSignedIn: async () => undefined,
    refuseOtherSites: () => undefined,
  };
}
