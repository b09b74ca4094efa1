/** The `x-ratelimit-*` headers of OpenAI's API: what the account may still use, for clients that pace themselves. */
import type { Principal } from '../../identity/principal.ts';
import type { Database } from '../../store/db.ts';
import { isCounted } from '../plans/plan.ts';
import type { PlanBook } from '../plans/plan-book.ts';
import { endOfPeriod } from './admission-refusal.ts';
import { readCountedUse } from './limits-store.ts';

export interface RateLimitDeps {
  readonly db: Database;
  readonly plans: PlanBook;
  readonly clock: () => Date;
}

const WINDOW_SECONDS = 60;

/** None for plans without limits of requests and tokens. Tokens are those of the day or the month, whichever has fewer left. */
export async function rateLimitHeaders(
  { db, plans, clock }: RateLimitDeps,
  principal: Principal,
): Promise<Readonly<Record<string, string>>> {
  const plan = plans.planOf(principal);
  if (!isCounted(plan)) return {};
  const use = await readCountedUse(db, principal, clock());
  const secondsTo = (period: 'day' | 'month'): number => (endOfPeriod(period, use.at) - use.at.getTime()) / 1000;
  const quotas = (
    [
      [plan.tokensPerDay, use.dayUsed + use.dayReserved, 'day'],
      [plan.tokensPerMonth, use.monthUsed + use.monthReserved, 'month'],
    ] as const
  ).flatMap(([limit, used, period]) => (limit === null ? [] : [{ limit, left: Math.max(0, limit - used), period }]));
  const [tightest] = quotas.toSorted((a, b) => a.left - b.left);
  return {
    ...(plan.requestsPerMinute === null
      ? {}
      : headersOf('requests', {
          limit: plan.requestsPerMinute,
          left: Math.max(0, plan.requestsPerMinute - use.requests),
          // The window slides: a minute after the last request all are there again.
          resetSeconds: use.requests === 0 ? 0 : WINDOW_SECONDS,
        })),
    ...(tightest === undefined
      ? {}
      : headersOf('tokens', { ...tightest, resetSeconds: Math.ceil(secondsTo(tightest.period)) })),
  };
}

function headersOf(
  what: 'requests' | 'tokens',
  { limit, left, resetSeconds }: { readonly limit: number; readonly left: number; readonly resetSeconds: number },
): Readonly<Record<string, string>> {
  return {
    [`x-ratelimit-limit-${what}`]: String(limit),
    [`x-ratelimit-remaining-${what}`]: String(left),
    [`x-ratelimit-reset-${what}`]: duration(resetSeconds),
  };
}

/** `6m0s`, as OpenAI writes it. */
function duration(seconds: number): string {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const parts = [hours > 0 ? `${hours}h` : '', hours > 0 || minutes > 0 ? `${minutes}m` : ''];
  return `${parts.join('')}${seconds % 60}s`;
}
