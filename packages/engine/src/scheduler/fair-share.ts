/**
 * Divides the engine's time among tenants, by the milliseconds that their evaluations and steps took: deficit round robin.
 *
 * Each tenant has an account of the time that it received, divided by its weight. A tenant is **in debt** while its account
 * is more than `TOLERANCE_MS` above the least of those with work, where larger weights have a head start. It then takes part
 * in a round only as far as it hardly delays the others. One that comes back after a pause begins `CREDIT_MS` below the
 * others, so that short requests are served at once beside a long one, but keeps no older credit. It does not begin below
 * a tenant of larger weight: else many tenants that come one after another would pass an owner of the server.
 *
 * A tenant that leaves is remembered for `LINGER_MS`. Costly turns of tenants that are further wait as long, so that requests
 * which follow one another are not each kept waiting by such a turn between them.
 *
 * Invariants
 * - Among the tenants with work at least one is not in debt: the engine waits for a tenant that has left at most,
 *   and for `LINGER_MS`.
 * - A tenant does not lose its debt by leaving and coming back.
 */
const TOLERANCE_MS = 20;
const CREDIT_MS = 250;
/** How far a tenant may go ahead for each unit by which its weight is above 1. */
const HEAD_START_MS = 125;
const LINGER_MS = 200;
/** Accounts of tenants without work that are remembered. */
const MAX_IDLE_ACCOUNTS = 1_000;

/** Generations without a tenant belong to this one. */
export const NO_TENANT = '';

export class FairShare {
  /** Weighted milliseconds of each tenant. */
  readonly #received = new Map<string, number>();
  /** Of the tenants with accounts; 1 where none was given. */
  readonly #weights = new Map<string, number>();
  /** Number of generations at work of each tenant that has some. */
  readonly #working = new Map<string, number>();
  /** Tenants that left a short time ago, with the timers that forget them. */
  readonly #lingering = new Map<string, NodeJS.Timeout>();
  /** The least account among tenants with work, when it was last known. */
  #floor = 0;
  #waiting: (() => void)[] = [];

  /** Number of tenants that have work or left a short time ago. */
  get tenants(): number {
    return this.#working.size + this.#lingering.size;
  }

  /**
   * A generation of the tenant begins to work.
   *
   * @param weight a tenant of weight 2 receives twice the time of one of weight 1
   */
  enter(tenant: string, weight = 1): void {
    this.#weights.set(tenant, weight);
    clearTimeout(this.#lingering.get(tenant));
    this.#lingering.delete(tenant);
    const before = this.#working.get(tenant) ?? 0;
    if (before === 0) {
      const floor = this.#currentFloor();
      const own = this.#received.get(tenant) ?? Number.NEGATIVE_INFINITY;
      const least = Math.max(floor - CREDIT_MS, Math.min(floor, this.#leastAbove(weight)));
      // Reinserted, so that the accounts are in order of use.
      this.#received.delete(tenant);
      this.#received.set(tenant, Math.max(own, least));
      this.#forgetIdle();
    }
    this.#working.set(tenant, before + 1);
    this.notify();
  }

  leave(tenant: string): void {
    this.#currentFloor();
    const left = (this.#working.get(tenant) ?? 0) - 1;
    if (left > 0) {
      this.#working.set(tenant, left);
    } else {
      this.#working.delete(tenant);
      if (this.#working.size > 0) this.#linger(tenant);
    }
    this.notify();
  }

  charge(tenant: string, ms: number, weight: number): void {
    this.#received.set(tenant, (this.#received.get(tenant) ?? this.#floor) + Math.max(0, ms) / weight);
    this.notify();
  }

  isInDebt(tenant: string): boolean {
    const standing = this.#standing(tenant) - TOLERANCE_MS;
    for (const other of this.#working.keys()) if (standing > this.#standing(other)) return true;
    return false;
  }

  /** Whether a costly turn of the tenant waits for one that left a short time ago and is less far. */
  mustWait(tenant: string): boolean {
    const standing = this.#standing(tenant) - TOLERANCE_MS;
    for (const other of this.#lingering.keys()) if (standing > this.#standing(other)) return true;
    return false;
  }

  /** The tenant's account after its head start. */
  #standing(tenant: string): number {
    return (this.#received.get(tenant) ?? 0) - HEAD_START_MS * (this.#weightOf(tenant) - 1);
  }

  #weightOf(tenant: string): number {
    return this.#weights.get(tenant) ?? 1;
  }

  /** The least account among tenants of larger weight, whether or not they have work. */
  #leastAbove(weight: number): number {
    let least = Number.POSITIVE_INFINITY;
    for (const [tenant, received] of this.#received) {
      if (this.#weightOf(tenant) > weight) least = Math.min(least, received);
    }
    return least === Number.POSITIVE_INFINITY ? Number.NEGATIVE_INFINITY : least;
  }

  #linger(tenant: string): void {
    const timer = setTimeout(() => {
      this.#lingering.delete(tenant);
      this.notify();
    }, LINGER_MS);
    this.#lingering.set(tenant, timer);
  }

  /** Resolves when an account or the tenants with work have changed. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Let those that wait for a change look again. */
  notify(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  #currentFloor(): number {
    if (this.#working.size === 0) return this.#floor;
    let floor = Number.POSITIVE_INFINITY;
    for (const tenant of this.#working.keys()) floor = Math.min(floor, this.#received.get(tenant) ?? 0);
    this.#floor = floor;
    return floor;
  }

  #forgetIdle(): void {
    for (const tenant of this.#received.keys()) {
      if (this.#received.size - this.#working.size <= MAX_IDLE_ACCOUNTS) return;
      if (this.#working.has(tenant)) continue;
      this.#received.delete(tenant);
      this.#weights.delete(tenant);
    }
  }
}

/** The weight of a generation: 1 at priority 0, 3 at priority 20. */
export function weightOf(priority: number): number {
  return priority >= 0 ? 1 + priority / 10 : 1 / (1 - priority / 10);
}
