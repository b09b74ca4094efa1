/**
 * The plan's limits of what an account stores: bytes of files, inputs and results, and the number of files, data and runs,
 * over all its projects. They are checked before anything is added, under a lock, so that concurrent requests cannot
 * pass them together. A result is stored although it passes the limit: what comes next is refused.
 */
import { ApiError, type StorageGet } from '@gptj-cloud/protocol';
import type { Principal } from '../../identity/principal.ts';
import type { Database } from '../../store/db.ts';
import type { Plan } from '../plans/plan.ts';
import type { PlanBook } from '../plans/plan-book.ts';
import { findStorage, type StoredAmount } from './storage-store.ts';

/** What a request adds. */
export interface StorageAddition extends StoredAmount {
  readonly principal: Principal;
}

export interface StorageLimits {
  /**
   * For each addition null, or the error `storage_full`. Locks the counts until the transaction ends: call it before
   * admission, which locks the account.
   */
  check(tx: Database, additions: readonly StorageAddition[]): Promise<readonly (ApiError | null)[]>;
  /** Check one addition. Throws `storage_full`. */
  require(tx: Database, addition: StorageAddition): Promise<void>;
  /** What the account of the principal's project stores, and its limits. */
  read(db: Database, principal: Principal): Promise<StorageGet>;
}

export function createStorageLimits(plans: PlanBook): StorageLimits {
  const check: StorageLimits['check'] = async (tx, additions) => {
    // No count decides, so none is locked.
    if (additions.every(({ principal }) => isUnlimited(plans.planOf(principal)))) return additions.map(() => null);
    const projectIds = [...new Set(additions.map(({ principal }) => principal.projectId))];
    const projects = projectIds.length === 0 ? [] : await findStorage(tx, projectIds, { lock: true });
    const accountOf = new Map(projects.map(({ projectId, accountId }) => [projectId, accountId]));
    const stored = new Map<string, StoredAmount>();
    for (const { accountId, ...amount } of projects) stored.set(accountId, sumOf(stored.get(accountId), amount));
    return additions.map(({ principal, ...amount }) => {
      const accountId = accountOf.get(principal.projectId) ?? principal.userId;
      const refusal = refusalOf(plans.planOf(principal), stored.get(accountId) ?? NOTHING, amount);
      if (refusal === null) stored.set(accountId, sumOf(stored.get(accountId), amount));
      return refusal;
    });
  };
  return {
    check,
    async require(tx, addition) {
      const [refusal] = await check(tx, [addition]);
      if (refusal != null) throw refusal;
    },
    async read(db, principal) {
      const projects = await findStorage(db, [principal.projectId], { lock: false });
      const { bytes, items } = projects.reduce(sumOf, NOTHING);
      const { id, storedBytes, storedItems } = plans.planOf(principal);
      return { plan_id: id, bytes: { used: bytes, limit: storedBytes }, items: { used: items, limit: storedItems } };
    },
  };
}

const NOTHING: StoredAmount = { bytes: 0, items: 0 };

function sumOf(a: StoredAmount = NOTHING, b: StoredAmount): StoredAmount {
  return { bytes: a.bytes + b.bytes, items: a.items + b.items };
}

function isUnlimited({ storedBytes, storedItems }: Plan): boolean {
  return storedBytes === null && storedItems === null;
}

function refusalOf(plan: Plan, stored: StoredAmount, added: StoredAmount): ApiError | null {
  for (const [what, limit] of [
    ['bytes', plan.storedBytes],
    ['items', plan.storedItems],
  ] as const) {
    if (limit === null || stored[what] + added[what] <= limit) continue;
    const values = { limit, what, used: stored[what], requested: added[what] };
    return new ApiError('storage_full', { plan: plan.name, ...values }, { details: { plan: plan.id, ...values } });
  }
  return null;
}
