/**
 * The time that a scheduler's generations take, charged to their tenants' accounts, and the tenants' turns by it.
 *
 * Steps of tenants in debt run on the engine's thread between the evaluations of the others. All together they take at most
 * `DEBTORS_SHARE` of the time of evaluations: what a step takes beyond that is kept back from the next rounds, so
 * that neither many quick steps nor a costly one slow the others down by more than this part.
 *
 * Invariant: in every round in which nothing is kept back, at least one step of a tenant in debt is taken.
 */
import { type FairShare, NO_TENANT, weightOf } from './fair-share.ts';
import type { Generation } from './generation.ts';

const DEBTORS_SHARE = 1 / 4;

export class TenantTime {
  readonly #shares: FairShare;
  readonly #now: () => number;
  /** Milliseconds of steps of tenants in debt in this round and of those kept back, and how many they may take. */
  #debtorsMs = 0;
  #allowedMs = 0;

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

  /** An evaluation has ended: the steps after it begin. */
  beginSteps(evaluationMs: number): void {
    this.#debtorsMs = Math.max(0, this.#debtorsMs - this.#allowedMs);
    this.#allowedMs = evaluationMs * DEBTORS_SHARE;
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
