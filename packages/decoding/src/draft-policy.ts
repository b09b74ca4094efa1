/**
 * Says how many tokens it is worth to score on trust, for a greedy request that leaves that open. The result does not
 * depend on the answer; only the time does.
 */
export interface DraftPolicy {
  /** Tokens to draft now, 0 for none. `acceptance`: share of this run's recent draft tokens that agreed, 0 … 1. */
  draftTokens(acceptance: number): number;
}
