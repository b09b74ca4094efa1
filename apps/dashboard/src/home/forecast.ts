/** How long the tokens of a month last, if the account goes on as in this month. */
import type { UsedTokens } from '@gptj-cloud/sdk';

export type Forecast =
  /** Without a limit, or without use in this month. */
  | { readonly kind: 'unknown' }
  /** They last until they are renewed. */
  | { readonly kind: 'enough' }
  | { readonly kind: 'days'; readonly days: number }
  | { readonly kind: 'over' };

const DAY_MS = 86_400_000;
/** On the first hours of a month its average says little. */
const MIN_ELAPSED_DAYS = 0.25;

export function forecastOf({ used, limit, reserved, resetsAt }: UsedTokens, now: Date): Forecast {
  if (limit === null) return { kind: 'unknown' };
  const left = limit - used - reserved;
  if (left <= 0) return { kind: 'over' };
  if (used === 0) return { kind: 'unknown' };
  const start = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1);
  const elapsedDays = Math.max(MIN_ELAPSED_DAYS, (now.getTime() - start) / DAY_MS);
  const days = left / (used / elapsedDays);
  const daysToReset = (resetsAt.getTime() - now.getTime()) / DAY_MS;
  return days >= daysToReset ? { kind: 'enough' } : { kind: 'days', days: Math.max(1, Math.floor(days)) };
}
