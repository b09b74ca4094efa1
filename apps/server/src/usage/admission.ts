import type { Principal } from '../accounts/principal.ts';
import type { Database } from '../store/db.ts';

/** What a generation may cost at most, known before it starts. */
export interface GenerationEstimate {
  /** Pipeline id or model name asked for; usage is listed under it. */
  readonly model: string;
  readonly promptTokens: number;
  /** Most tokens that may be generated, over all returned sequences. */
  readonly maxGeneratedTokens: number;
  /** Longest sequence it may fill, prompt included. Default: prompt and generated tokens together. */
  readonly contextTokens?: number;
}

/** What it cost. */
export interface GenerationCost {
  readonly promptTokens: number;
  readonly generatedTokens: number;
  readonly computeMs: number;
  /** Of the prompt tokens, those found in the cache. Default 0. */
  readonly cachedTokens?: number;
}

/** A generation that was let in. Exactly one of `settle` and `cancel` ends it. */
export interface Admitted {
  /** Queue priority of the plan; larger goes first. */
  readonly priority: number;
  /** What to keep of it to end it from another process, with `Admission.resume`. Text of at most a few hundred letters. */
  readonly ticket: string;
  /**
   * Meter the cost and return what was reserved and not used. Idempotent. Within `tx` it takes part in the caller's
   * transaction: metered exactly when that commits.
   */
  settle(cost: GenerationCost, tx?: Database): Promise<void>;
  /** Nothing was used. Idempotent; takes part in `tx` like `settle`. */
  cancel(tx?: Database): Promise<void>;
}

/**
 * The gate before every generation, whatever API it came by: hard limits are checked, and what the generation may use
 * is reserved, before anything runs.
 */
export interface Admission {
  /**
   * Without `tx`, the reservation belongs to this process: should it die, the reservation ends with it. Within `tx` it
   * is made when the caller's transaction commits, and stays until somebody ends it, at most a day: for runs that
   * outlive a process. Their row keeps the ticket, and the transaction that ends the run settles; what is settled after
   * that day is metered all the same.
   *
   * Throws `ApiError` (`plan_required`, `rate_limited`, `concurrency_limited`, `quota_exceeded`) with what to do and
   * when. A refusal within `tx` leaves nothing to roll back.
   */
  admit(principal: Principal, estimate: GenerationEstimate, tx?: Database): Promise<Admitted>;
  /**
   * What `admit` gave, from its ticket. A ticket of a plan without limits remembers nothing that was ended: settle such
   * a one in the transaction that ends the run, once.
   */
  resume(ticket: string): Admitted;
}
