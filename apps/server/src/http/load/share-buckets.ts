/** A budget of one kind for each client: it fills up steadily to a limit, and what a client uses is taken from it. */
export interface ShareRule {
  /** Units that a client can use at once after a pause. */
  readonly burst: number;
  readonly perSecond: number;
}

export interface ShareBuckets {
  /** Take from the client's budget. A client may go into debt by one burst at most. */
  take(client: string, units: number): void;
  /** Seconds until that much of the budget is left; null when it is now. Default: anything at all. */
  waitSeconds(client: string, needed?: number): number | null;
  /** Units left, and seconds until the budget is full. */
  state(client: string): { readonly left: number; readonly fullAfterSeconds: number };
}

/** Clients remembered; beyond them those are forgotten that have used nothing for longest. */
const MAX_CLIENTS = 20_000;

/** @param now milliseconds, monotonic */
export function createShareBuckets({ burst, perSecond }: ShareRule, now: () => number): ShareBuckets {
  const used = new Map<string, { readonly left: number; readonly at: number }>();
  const leftOf = (client: string): number => {
    const known = used.get(client);
    return known === undefined ? burst : Math.min(burst, known.left + ((now() - known.at) / 1000) * perSecond);
  };
  return {
    take(client, units) {
      const left = Math.max(leftOf(client) - units, -burst);
      used.delete(client);
      if (left < burst) used.set(client, { left, at: now() });
      for (const [oldest] of used) {
        if (used.size <= MAX_CLIENTS) break;
        used.delete(oldest);
      }
    },
    waitSeconds(client, needed = 0) {
      const left = leftOf(client);
      if (left >= needed && left > 0) return null;
      return Math.max(1, Math.ceil((needed - left) / perSecond));
    },
    state(client) {
      const left = leftOf(client);
      return { left: Math.max(0, Math.floor(left)), fullAfterSeconds: Math.ceil((burst - left) / perSecond) };
    },
  };
}
