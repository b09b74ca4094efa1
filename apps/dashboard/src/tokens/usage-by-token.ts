import type { UsageRow } from '@gptj-cloud/sdk';

export const DAYS = 30;
const DAY_MS = 86_400_000;

/** For each token id the computed tokens of each day. */
export type UsageByToken = ReadonlyMap<string, readonly number[]>;

/** The last days up to `now`, UTC: `2026-01-31`. */
export function daysUntil(now: Date): readonly string[] {
  return Array.from({ length: DAYS }, (_, index) =>
    new Date(now.getTime() - (DAYS - 1 - index) * DAY_MS).toISOString().slice(0, 10),
  );
}

export function usageByToken(
  rows: readonly Pick<UsageRow, 'bucket' | 'key' | 'computedTokens'>[],
  days: readonly string[],
): UsageByToken {
  const byToken = new Map<string, number[]>();
  for (const { bucket, key, computedTokens } of rows) {
    const day = days.indexOf(bucket ?? '');
    if (day < 0) continue;
    const values = byToken.get(key) ?? days.map(() => 0);
    values[day] = (values[day] ?? 0) + computedTokens;
    byToken.set(key, values);
  }
  return byToken;
}
