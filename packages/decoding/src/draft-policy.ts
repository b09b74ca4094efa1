/**
 * Chooses the number of draft tokens for a greedy request without `prompt_lookup_num_tokens`. It changes the speed, not
 * the tokens.
 */
export interface DraftPolicy {
  /** Tokens to draft now, 0 for none. `acceptance`: share of this run's recent draft tokens that agreed, 0 … 1. */
  draftTokens(acceptance: number): number;
}
