/**
 * The time that a scheduler's generations take, charged to their tenants' accounts, and the tenants' turns by it.
 *
 * Tenants in debt slow the others down in two ways: their rows make evaluations longer, and their steps run on the engine's thread
 * between evaluations. Each has a part of the time that evaluations of the others take. What is taken beyond that is
 * kept back from the next rounds, so that neither much quick work nor a costly piece, nor a wrong estimate of what it
 * costs, slows the others down by more than this part.
 *
 * Invariant: in every round in which nothing is kept back, rows of tenants in debt may take part, and at least one of
 * their steps is taken.
 */
import { type FairShare, NO_TENANT, weightOf } from './fair-share.ts';
import type { Generation } from './generation.ts';

/** Of the time of the others' rows, for steps … */
const STEPS_SHARE = 1 / 8;
/** … and for rows. */
const ROWS_SHARE = 1 / 2;

export class TenantTime {
  readonly #shares: FairShare;
  readonly #now: () => number;
  /** Milliseconds of steps of tenants in debt in this round and of those kept back, and how many they may take. */
  #debtorsMs = 0;
  #allowedMs = 0;
  /** Milliseconds by which rows of tenants in debt have made evaluations longer than they may. */
  #rowsMs = 0;

  /** @param now milliseconds, monotonic */
  constructor(shares: FairShare, now: () => number) {
    this.#shares = shares;
    this.#now = now;
  }

  enter({ tenant, priority }: Generation): void {
    this.#shares.enter(tenant ?? NO_TENANT, weightOf(priority));
  }

  leave({ tenant }: Generation): void {
    this.#shares.leave(tenant ?? NO_TENANT);
  }

  /** Run code of a generation on this thread, and charge its tenant for the time. */
  step<T>(generation: Generation, work: () => T): T {
    const startedAt = this.#now();
    const isInDebt = this.isInDebt(generation);
    try {
      return work();
    } finally {
      generation.stepMs = this.#now() - startedAt;
      if (isInDebt) this.#debtorsMs += generation.stepMs;
      this.charge(generation, generation.stepMs);
    }
  }

  charge({ tenant, priority }: Generation, ms: number): void {
    this.#shares.charge(tenant ?? NO_TENANT, ms, weightOf(priority));
  }

  /**
   * An evaluation has ended: the steps after it begin.
   *
   * @param debtorsShare part of the evaluation's time that rows of tenants in debt have added
   */
  beginSteps(evaluationMs: number, debtorsShare: number): void {
    const othersMs = evaluationMs * (1 - debtorsShare);
    this.#debtorsMs = Math.max(0, this.#debtorsMs - this.#allowedMs);
    this.#allowedMs = othersMs * STEPS_SHARE;
    this.#rowsMs = Math.max(0, this.#rowsMs + evaluationMs - othersMs - othersMs * ROWS_SHARE);
  }

  /** Whether rows of tenants in debt wait for another evaluation of the others. */
  get keepsRowsBack(): boolean {
    return this.#rowsMs > 0;
  }

  isInDebt({ tenant }: Generation): boolean {
    return this.#shares.isInDebt(tenant ?? NO_TENANT);
  }

  /** Whether the generation's next step waits for another evaluation. */
  isPastTurn(generation: Generation): boolean {
    return this.#debtorsMs > 0 && this.#debtorsMs >= this.#allowedMs && this.isInDebt(generation);
  }

  /** Whether a tenant that is less far left a short time ago: it may be back at any moment. */
  isFollowed({ tenant }: Generation): boolean {
    return this.#shares.mustWait(tenant ?? NO_TENANT);
  }
}
