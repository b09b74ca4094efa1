import { z } from 'zod';
import { invalidParameter, type QueryValue } from './query.ts';

/** Groupings of usage. */
export const USAGE_GROUPS = ['day', 'token', 'pipeline', 'project'] as const;
export type UsageGroup = (typeof USAGE_GROUPS)[number];

/** Parts of time in which usage is summed. */
export const USAGE_BUCKETS = ['hour', 'day'] as const;
export type UsageBucket = (typeof USAGE_BUCKETS)[number];

/** The key of all tokens, pipelines or projects beyond the `top` ones. */
export const OTHER_KEYS = 'other';

/** Sums of metered runs. Cached tokens are part of the prompt tokens. */
export const usageSumsSchema = z.object({
  runs: z.number(),
  prompt_tokens: z.number(),
  generated_tokens: z.number(),
  computed_tokens: z.number(),
  cached_tokens: z.number(),
  compute_ms: z.number(),
});
export type UsageSums = z.infer<typeof usageSumsSchema>;

/**
 * One row: `key` is a day (`2026-01-31`), or the id of a token, pipeline or project; empty for browser sessions, and where
 * the rows are those of time alone; `other` for what is beyond the `top` ones.
 */
export const usageRowSchema = usageSumsSchema.extend({
  /** Of a reply by time: the hour (`2026-01-31T05:00Z`) or the day (`2026-01-31`) of the row. */
  bucket: z.string().optional(),
  key: z.string(),
  /** Name of the token or project, where it still exists. */
  name: z.string().nullable(),
});
export type UsageRow = z.infer<typeof usageRowSchema>;

/** Reply to `GET /v2/usage`. Both days are part of it. */
export const usageGetSchema = z.object({
  from: z.string(),
  to: z.string(),
  /** Null: by time alone. */
  group_by: z.enum(USAGE_GROUPS).nullable(),
  /** Null: by one key alone. */
  bucket: z.enum(USAGE_BUCKETS).nullable().optional(),
  /** Null: all projects of the server, for its owners. */
  project_id: z.string().nullable(),
  rows: z.array(usageRowSchema),
  /** Of all rows, also those of other pages. */
  total: usageSumsSchema,
  /** Names the next page; null on the last one, and where no `limit` was asked for. */
  next_cursor: z.string().nullish(),
});
export type UsageGet = z.infer<typeof usageGetSchema>;

/** A position in the rows of a reply: after the row with these. Opaque to clients. */
export interface UsageCursor {
  /** Empty where rows have none. */
  readonly bucket: string;
  readonly key: string;
}

export function formatUsageCursor({ bucket, key }: UsageCursor): string {
  return `${bucket}~${encodeURIComponent(key)}`;
}

/** Reads what `formatUsageCursor` wrote. */
export const usageCursorSchema = z
  .string()
  .regex(
    /^(?:\d{4}-\d{2}-\d{2}(?:T\d{2}:00Z)?)?~(?:[\w!'()*.~-]|%[\dA-F]{2}){0,1000}$/,
    'expected the next_cursor of an earlier page',
  )
  .transform((text, context): UsageCursor => {
    const at = text.indexOf('~');
    const key = decoded(text.slice(at + 1));
    if (key !== null && !/\p{Cc}/u.test(key)) return { bucket: text.slice(0, at), key };
    context.addIssue('expected the next_cursor of an earlier page');
    return z.NEVER;
  });

export const invoiceLineSchema = z.object({
  description: z.string(),
  quantity: z.number(),
  unit: z.enum(['month', 'token', 'ms']),
  /** Price of one month, of 1,000 tokens or of one hour. */
  price: z.number(),
  /** Decimal text, rounded half up to hundredths. */
  amount: z.string(),
});
export type InvoiceLine = z.infer<typeof invoiceLineSchema>;

/** Reply to `GET /v2/invoice-preview`. The total is the sum of the rounded amounts. */
export const invoicePreviewSchema = z.object({
  month: z.string(),
  user_id: z.string(),
  plan_id: z.string(),
  currency: z.string(),
  lines: z.array(invoiceLineSchema),
  total: z.string(),
});
export type InvoicePreview = z.infer<typeof invoicePreviewSchema>;

/** A day `YYYY-MM-DD` of the calendar, or `fallback` when absent. Throws `invalid_request`. */
export function parseQueryDay(name: string, value: QueryValue, fallback: string): string {
  if (value === undefined || value === '') return fallback;
  if (!isDay(value)) throw invalidParameter(`query->${name}`, `expected a day like 2026-01-31, got ${show(value)}`);
  return value;
}

/** A month `YYYY-MM`, or `fallback` when absent. Throws `invalid_request`. */
export function parseQueryMonth(name: string, value: QueryValue, fallback: string): string {
  if (value === undefined || value === '') return fallback;
  if (!isDay(`${value}-01`))
    throw invalidParameter(`query->${name}`, `expected a month like 2026-01, got ${show(value)}`);
  return value;
}

function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || text < '1970') return false;
  const date = new Date(`${text}T00:00:00Z`);
  // The 31st of February becomes a day of March.
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

function show(text: string): string {
  return JSON.stringify(text.slice(0, 40));
}
