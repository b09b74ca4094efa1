/**
 * Settlements that no reply waits for: those of plans without counted limits, where no later request depends on them. Their
 * commit, with its sync to disk, takes longer than the rest of a short reply.
 */
export interface Settlements {
  /** Take a settlement under way. Resolves at once, or when it has ended where replies have to wait; then it throws what it threw. */
  add(settlement: Promise<void>): Promise<void>;
  /** Resolves when all settlements that were added so far have ended. */
  readonly settled: () => Promise<void>;
}

/** More than this many wait for the store: it is too slow, and replies wait as well. */
const MAX_UNDER_WAY = 64;

/** @param onFailure receives the error of a settlement that no reply can report any more */
export function createSettlements(onFailure: (error: unknown) => void): Settlements {
  const underWay = new Set<Promise<void>>();
  /** The latest one failed: a client should learn that the store does not meter, before it sends more. */
  let hasFailed = false;
  return {
    async add(settlement) {
      const waits = hasFailed || underWay.size >= MAX_UNDER_WAY;
      const tracked = settlement.then(
        () => {
          hasFailed = false;
        },
        (error: unknown) => {
          hasFailed = true;
          if (!waits) onFailure(error);
        },
      );
      underWay.add(tracked);
      void tracked.then(() => underWay.delete(tracked));
      if (waits) await settlement;
    },
    async settled() {
      await Promise.all(underWay);
    },
  };
}
