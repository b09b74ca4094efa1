/** When a token ends: never, or after one of a few spans. */
import type { Choice } from '../ui/select.tsx';

export type Expiry = 'never' | '1' | '7' | '30' | '90' | '365';

export const EXPIRIES: readonly Choice<Expiry>[] = [
  { id: 'never', label: 'Never' },
  { id: '1', label: 'After a day' },
  { id: '7', label: 'After a week' },
  { id: '30', label: 'After 30 days' },
  { id: '90', label: 'After 90 days' },
  { id: '365', label: 'After a year' },
];

const DAY_MS = 86_400_000;

/** Null: never. */
export function endOf(expiry: Expiry, now: Date): Date | null {
  return expiry === 'never' ? null : new Date(now.getTime() + Number(expiry) * DAY_MS);
}

/** The token that no program has used for the longest time; null when there is none. */
export function unusedLongest<Token extends { readonly lastUsed: Date | null; readonly createdAt: Date }>(
  tokens: readonly Token[],
): Token | null {
  const usedAt = ({ lastUsed, createdAt }: Token): number => (lastUsed ?? createdAt).getTime();
  return tokens.reduce<Token | null>(
    (oldest, token) => (oldest === null || usedAt(token) < usedAt(oldest) ? token : oldest),
    null,
  );
}

/** Whether a token was used so lately that a program may need it. */
export function wasUsedLately(lastUsed: Date | null, now: Date): boolean {
  return lastUsed !== null && now.getTime() - lastUsed.getTime() < DAY_MS;
}
