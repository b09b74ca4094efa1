import type { ApiError } from '@gptj-cloud/protocol';
import type { Principal } from '../../identity/principal.ts';
import type { Database } from '../../store/db.ts';

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
  /** Meter the cost and return what was reserved and not used. Idempotent. */
  settle(cost: GenerationCost): Promise<void>;
  /** Nothing was used. Idempotent. */
  cancel(): Promise<void>;
}

/** A run that asks to be let in. */
export interface RunToAdmit {
  readonly principal: Principal;
  readonly estimate: GenerationEstimate;
}

/** A run that was let in. */
export interface AdmittedRun {
  /** Queue priority of the plan; larger goes first. */
  readonly priority: number;
  /** What to keep of it, for `endRuns`. Text of at most a few hundred letters. */
  readonly ticket: string;
}

/** The end of a run that was let in. */
export interface AdmittedRunEnd {
  readonly ticket: string;
  /** Null: nothing was used. */
  readonly cost: GenerationCost | null;
}

/**
 * The gate before every generation, whatever API it came by: hard limits are checked, and what the generation may use
 * is reserved, before anything runs.
 */
export interface Admission {
  /**
   * For a generation that ends with this process: should it die, the reservation ends, too.
   *
   * Throws `ApiError` (`plan_required`, `rate_limited`, `concurrency_limited`, `quota_exceeded`) with what to do and
   * when.
   */
  admit(principal: Principal, estimate: GenerationEstimate): Promise<Admitted>;
  /**
   * For runs, which outlive processes: reservations are made when the caller's transaction commits, and stay until
   * `endRuns`, at most a day; what ends after that day is metered all the same. A run's row keeps its ticket.
   *
   * For each the ticket, or what `admit` would throw; a refusal leaves nothing to roll back.
   */
  admitRuns(tx: Database, runs: readonly RunToAdmit[]): Promise<readonly (AdmittedRun | ApiError)[]>;
  /**
   * Meter costs and return what was reserved and not used, exactly when the caller's transaction commits. A ticket of a
   * plan without limits remembers nothing that was ended: end such a one in the transaction that ends the run, once.
   */
  endRuns(tx: Database, ends: readonly AdmittedRunEnd[]): Promise<void>;
}
