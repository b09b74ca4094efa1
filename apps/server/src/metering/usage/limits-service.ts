import { type LimitsGet, toTimestamp } from '@gptj-cloud/protocol';
import type { Principal } from '../../identity/principal.ts';
import type { Database } from '../../store/db.ts';
import { isCounted } from '../plans/plan.ts';
import type { PlanBook } from '../plans/plan-book.ts';
import type { StorageLimits } from '../storage/storage-limits.ts';
import { endOfPeriod } from './admission-refusal.ts';
import { readCountedUse } from './limits-store.ts';
import { rateLimitHeaders } from './rate-limit-headers.ts';

export interface LimitsServiceDeps {
  readonly db: Database;
  readonly plans: PlanBook;
  readonly storage: StorageLimits;
  readonly clock: () => Date;
  /** Resolves when what was computed so far is metered. Default: at once. */
  readonly settled?: () => Promise<void>;
}

export interface LimitsService {
  /** What the account of the principal's project has used of its plan's limits: what admission would count now. */
  read(principal: Principal): Promise<LimitsGet>;
  /** The same in headers of replies to metered requests. */
  headers(principal: Principal): Promise<Readonly<Record<string, string>>>;
}

export function createLimitsService(deps: LimitsServiceDeps): LimitsService {
  const { db, plans, storage, clock, settled = async () => {} } = deps;
  return {
    headers: async (principal) => await rateLimitHeaders({ db, plans, clock }, principal),
    async read(principal) {
      const plan = plans.planOf(principal);
      await settled();
      const [use, stored] = await Promise.all([readCountedUse(db, principal, clock()), storage.read(db, principal)]);
      const end = (period: 'day' | 'month'): number => toTimestamp(new Date(endOfPeriod(period, use.at)));
      // Without a limit that needs counters, admission makes no reservations.
      const counted = (count: number): number | null => (isCounted(plan) ? count : null);
      return {
        plan_id: plan.id,
        day: { used: use.dayUsed, limit: plan.tokensPerDay, reserved: use.dayReserved, resets_at: end('day') },
        month: {
          used: use.monthUsed,
          limit: plan.tokensPerMonth,
          reserved: use.monthReserved,
          resets_at: end('month'),
        },
        running: { used: counted(use.running), limit: plan.concurrentRuns },
        requests: { used: counted(use.requests), limit: plan.requestsPerMinute },
        stored_bytes: stored.bytes,
        stored_items: stored.items,
      };
    },
  };
}
