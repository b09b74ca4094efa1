/** The days that the page shows, in UTC, and the hours or days into which charts divide them. */
import type { UsageSearch } from './usage-search.ts';

export interface UsageRange {
  /** `YYYY-MM-DD`, both included. */
  readonly from: string;
  readonly to: string;
  readonly days: number;
  readonly bucket: 'hour' | 'day';
  /** Beginnings of the hours or days, as the API names them: `2026-01-31T05:00Z` or `2026-01-31`. */
  readonly buckets: readonly string[];
  /** Whether the last one is not over yet. */
  readonly isOpen: boolean;
}

export const MAX_DAYS = 366;
/** The server keeps hours of errors and times for 35 days. */
const HOURS_KEPT_DAYS = 34;
const DAY_MS = 86_400_000;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** The days of the search; those of this month when it names none, or days that do not exist. */
export function daysOf(
  { range = 'month', from, to }: UsageSearch,
  now: Date,
): { readonly from: string; readonly to: string } {
  const today = dayOf(now);
  if (range === 'today') return { from: today, to: today };
  if (range === '7d') return { from: shifted(today, -6), to: today };
  const month = { from: `${today.slice(0, 7)}-01`, to: today };
  if (range === 'month') return month;
  const end = isDay(to) ? to : month.to;
  const start = isDay(from) ? from : `${end.slice(0, 7)}-01`;
  return start <= end ? { from: start, to: end } : { from: end, to: start };
}

/** Null: more days than the API sums at once. */
export function rangeOf({ from, to }: { readonly from: string; readonly to: string }, now: Date): UsageRange | null {
  const days = countDays(from, to);
  if (days > MAX_DAYS) return null;
  const today = dayOf(now);
  const isKept = now.getTime() - Date.parse(from) < HOURS_KEPT_DAYS * DAY_MS;
  const bucket = days === 1 && isKept ? 'hour' : 'day';
  const isOpen = to >= today && from <= today;
  const all = bucket === 'hour' ? hoursOf(from) : Array.from({ length: days }, (_, index) => shifted(from, index));
  // What is still to come has no values.
  const present = bucket === 'hour' ? now.toISOString().slice(0, 13) : today;
  const buckets = isOpen ? all.filter((start) => start.slice(0, present.length) <= present) : all;
  return { from, to, days, bucket, buckets, isOpen };
}

/** The range of the same length before. */
export function precedingDays({ from, days }: UsageRange): { readonly from: string; readonly to: string } {
  return { from: shifted(from, -days), to: shifted(from, -1) };
}

/** The longest range that ends on the same day. */
export function longestDays(to: string): { readonly from: string; readonly to: string } {
  return { from: shifted(to, 1 - MAX_DAYS), to };
}

/** From midnight to midnight. */
export function spanOf({ from, to }: UsageRange): { readonly start: Date; readonly end: Date } {
  return { start: new Date(`${from}T00:00:00Z`), end: new Date(`${shifted(to, 1)}T00:00:00Z`) };
}

/** The name of a bucket that an SDK date begins. */
export function bucketAt(start: Date, bucket: 'hour' | 'day'): string {
  return bucket === 'hour' ? `${start.toISOString().slice(0, 13)}:00Z` : dayOf(start);
}

/** `05:00`, or `31 Jan`. */
export function formatBucket(bucket: string): string {
  if (bucket.length > 10) return bucket.slice(11, 16);
  return `${Number(bucket.slice(8))} ${MONTHS[Number(bucket.slice(5, 7)) - 1]}`;
}

export function countDays(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / DAY_MS + 1;
}

function hoursOf(day: string): readonly string[] {
  return Array.from({ length: 24 }, (_, hour) => `${day}T${String(hour).padStart(2, '0')}:00Z`);
}

function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}

function shifted(day: string, days: number): string {
  return dayOf(new Date(Date.parse(day) + days * DAY_MS));
}

function isDay(text: string | undefined): text is string {
  if (text === undefined || !/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && dayOf(new Date(time)) === text;
}
