import type { ApiError, Money } from '@gptj-cloud/protocol';
import type { Principal } from '../../identity/principal.ts';
import type { Database } from '../../store/db.ts';

/** The maximum cost of a generation, known before it starts. */
export interface GenerationEstimate {
  /** Pipeline id or model name of the request; usage is listed under it. */
  readonly model: string;
  /** The largest number of computed tokens that it can have. */
  readonly computedTokens: number;
  /** Maximum length of one sequence, prompt included. */
  readonly contextTokens: number;
}

/** The actual cost of a generation. */
export interface GenerationCost {
  readonly promptTokens: number;
  readonly generatedTokens: number;
  /** What quotas count and plans price: see `computedTokens` of `@gptj-cloud/decoding`. */
  readonly computedTokens: number;
  readonly computeMs: number;
  /** Prompt tokens found in the cache. Default 0. */
  readonly cachedTokens?: number;
}

/** Longest times, in milliseconds. Null: no limit. */
export interface TimeLimits {
  /** Of the computation of one generation. */
  readonly generationMs: number | null;
  /** From the start of a run, or of a request with all its prompts, to its end. */
  readonly runMs: number | null;
}

/** An admitted generation. Exactly one of `settle` and `cancel` ends it. */
export interface Admitted {
  /** Queue priority of the plan; larger goes first. */
  readonly priority: number;
  readonly limits: TimeLimits;
  /** Whether the plan has limits that later requests are counted against. */
  readonly isCounted: boolean;
  /** Meter the cost and return the unused part of the reservation. Idempotent. */
  settle(cost: GenerationCost): Promise<void>;
  /** Return the whole reservation: nothing was used. Idempotent. */
  cancel(): Promise<void>;
}

/** A run that requests admission. */
export interface RunToAdmit {
  readonly principal: Principal;
  readonly estimate: GenerationEstimate;
}

/** An admitted run. */
export interface AdmittedRun {
  /** Queue priority of the plan; larger goes first. */
  readonly priority: number;
  /** Stored with the run, for `endRuns`. At most a few hundred characters. */
  readonly ticket: string;
}

/** The end of an admitted run. */
export interface AdmittedRunEnd {
  readonly ticket: string;
  /** Null: nothing was used. */
  readonly cost: GenerationCost | null;
}

/**
 * Checks every generation of every API before it runs: enforces hard limits and reserves the generation's maximum cost.
 */
export interface Admission {
  /**
   * Admit a generation of this process. If the process dies, the reservation ends, too.
   *
   * Throws `ApiError` (`plan_required`, `rate_limited`, `concurrency_limited`, `quota_exceeded`) with a remedy and the
   * time to retry.
   */
  admit(principal: Principal, estimate: GenerationEstimate): Promise<Admitted>;
  /**
   * Admit runs, which outlive processes. Reservations are made when the caller's transaction commits, and last until
   * `endRuns`, at most a day; a run that ends later is still metered. The run's row stores its ticket.
   *
   * Returns for each run its ticket, or the error that `admit` would throw; a refusal leaves nothing to roll back.
   */
  admitRuns(tx: Database, runs: readonly RunToAdmit[]): Promise<readonly (AdmittedRun | ApiError)[]>;
  /**
   * Meter costs and return unused reservations when the caller's transaction commits. A ticket of a plan without limits
   * has no reservation that would detect a second end: end it once, in the transaction that ends the run.
   */
  endRuns(tx: Database, ends: readonly AdmittedRunEnd[]): Promise<void>;
  /** The present limits of an admitted run, by its ticket. */
  timeLimits(ticket: string): TimeLimits;
  /** What a metered cost amounts to at the present prices of its plan; null for an unknown ticket. */
  price(ticket: string, cost: GenerationCost): Money | null;
}
