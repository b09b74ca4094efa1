/** Keeps a copy of a signed request from being accepted: a request counts once, within a short time of its signature. */
import type { CheckedRequest } from './node-signature.ts';

export interface ReplayGuardDeps {
  /** Milliseconds of the store's clock. */
  readonly now: () => number;
  /** Whether requests without a time are accepted. */
  readonly acceptsUntimed: () => boolean;
}

export interface ReplayGuard {
  /** Why the request is refused; null: it is accepted, now and never again. */
  refusalOf(request: Pick<CheckedRequest, 'nonce' | 'signedAtMs'>): string | null;
}

/** How far the clocks of two nodes and the way of a request may be apart: nodes take the time from the store every minute. */
const MAX_AGE_MS = 30_000;
/** A request whose time is ahead is accepted until its time is past. */
const KEPT_MS = 2 * MAX_AGE_MS;

export function createReplayGuard({ now, acceptsUntimed }: ReplayGuardDeps): ReplayGuard {
  /** When each nonce is forgotten, oldest first. Only nodes of the store add to it: a request without the secret comes not so far. */
  const seen = new Map<string, number>();
  return {
    refusalOf({ nonce, signedAtMs }) {
      const at = now();
      for (const [each, until] of seen) {
        if (until >= at) break;
        seen.delete(each);
      }
      if (signedAtMs === null && !acceptsUntimed()) return 'it has no time, and no server of an older release is alive';
      const ageMs = signedAtMs === null ? 0 : at - signedAtMs;
      if (Math.abs(ageMs) > MAX_AGE_MS) {
        return `expected a time within ${MAX_AGE_MS / 1000} s of the database's, got one ${Math.round(ageMs / 1000)} s before it`;
      }
      if (seen.has(nonce)) return 'it was accepted before';
      seen.set(nonce, at + KEPT_MS);
      return null;
    },
  };
}
