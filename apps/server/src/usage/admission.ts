import type { Principal } from '../accounts/principal.ts';

/** What a generation may cost at most, known before it starts. */
export interface GenerationEstimate {
  /** Model or pipeline asked for, as plans name it. */
  readonly model: string;
  readonly promptTokens: number;
  /** Most tokens that may be generated, over all returned sequences. */
  readonly maxGeneratedTokens: number;
}

/** What it cost. */
export interface GenerationCost {
  readonly promptTokens: number;
  readonly generatedTokens: number;
  readonly computeMs: number;
}

/** A generation that was let in. Exactly one of the two ends it. */
export interface Admitted {
  /** Queue priority of the plan; larger goes first. */
  readonly priority: number;
  /** Return what was reserved and not used. Idempotent. */
  settle(cost: GenerationCost): Promise<void>;
  /** Nothing was used. Idempotent. */
  cancel(): Promise<void>;
}

/**
 * The gate before every generation, whatever API it came by: hard limits are checked, and what the generation may use
 * is reserved, before anything runs.
 */
export interface Admission {
  /** Throws `ApiError` (`rate_limited`, `quota_exceeded`, `too_many_runs`, `plan_required`) with what to do and when. */
  admit(principal: Principal, estimate: GenerationEstimate): Promise<Admitted>;
}
