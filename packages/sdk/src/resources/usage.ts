/** Usage and invoice previews. */
import type { Endpoint } from '../connection.ts';
import { exchangeText, read } from '../exchange.ts';
import { listOf, nullable, numberAt, oneOf, record, stringAt } from '../fields.ts';
import { type CallOptions, queryOf } from '../options.ts';

export type UsageGroup = 'day' | 'token' | 'pipeline' | 'project';

/** Sums of metered runs. Cached tokens are part of the prompt tokens. */
export interface UsageSums {
  readonly runs: number;
  readonly promptTokens: number;
  readonly generatedTokens: number;
  /** What the runs cost. Quotas count it, and plans price it. */
  readonly computedTokens: number;
  readonly cachedTokens: number;
  readonly computeMs: number;
}

export type UsageBucket = 'hour' | 'day';

export interface UsageRow extends UsageSums {
  /** Of rows by time: an hour (`2026-01-31T05:00Z`) or a day (`2026-01-31`). */
  readonly bucket: string | null;
  /**
   * A day (`2026-01-31`), or the id of a token, pipeline or project; empty for browser sessions and for time alone; `other`
   * for those beyond the `top` ones.
   */
  readonly key: string;
  /** Name of the token or project; null when it was deleted. */
  readonly name: string | null;
}

export interface Usage {
  /** First and last day, both included. */
  readonly from: string;
  readonly to: string;
  /** Null: by time alone. */
  readonly groupBy: UsageGroup | null;
  readonly bucket: UsageBucket | null;
  /** Null for all projects of the server, which only its owners can request. */
  readonly projectId: string | null;
  readonly rows: readonly UsageRow[];
  /** Of all rows, also those of other pages. */
  readonly total: UsageSums;
  /** The `cursor` of the next page; null on the last one, and without `limit`. */
  readonly nextCursor: string | null;
}

export interface UsageOptions extends CallOptions {
  /** `YYYY-MM-DD`, UTC. Default: the first day of the month of `to`. */
  readonly from?: string;
  /** Default: today. At most 366 days. */
  readonly to?: string;
  /** Default: the project of the token; for owners of the server all of them. */
  readonly projectId?: string;
}

export interface InvoiceLine {
  readonly description: string;
  readonly quantity: number;
  readonly unit: 'month' | 'token' | 'ms';
  /** Price of one month, of 1,000 tokens or of one hour. */
  readonly price: number;
  /** Decimal string, rounded to hundredths. */
  readonly amount: string;
}

/** A preview: nothing is charged. */
export interface InvoicePreview {
  /** `YYYY-MM`. */
  readonly month: string;
  readonly userId: string;
  readonly planId: string;
  readonly currency: string;
  readonly lines: readonly InvoiceLine[];
  /** Decimal string. */
  readonly total: string;
}

/** What the account of the project stores, over all its projects. A limit of null is none. */
export interface Storage {
  readonly planId: string;
  /** Of files, inputs and results. */
  readonly bytes: { readonly used: number; readonly limit: number | null };
  /** Number of files, data and runs. */
  readonly items: { readonly used: number; readonly limit: number | null };
}

export interface UsageReports {
  /**
   * Sums by day, token, pipeline or project; with `bucket`, by time and by token, pipeline or project, of which the `top`
   * (20 by default, at most 50) have rows of their own. With `limit` (at most 1,000), in pages.
   */
  get(
    options?: UsageOptions & {
      readonly groupBy?: UsageGroup;
      readonly bucket?: UsageBucket;
      readonly top?: number;
      readonly limit?: number;
      readonly cursor?: string;
    },
  ): Promise<Usage>;
  /** One line per day, project, token, pipeline and plan. */
  csv(options?: UsageOptions): Promise<string>;
  storage(options?: CallOptions): Promise<Storage>;
  /** `month` is `YYYY-MM`, by default the current one. Owners of the server may pass `userId`. */
  previewInvoice(
    options?: CallOptions & { readonly month?: string; readonly userId?: string },
  ): Promise<InvoicePreview>;
}

const SUMS = {
  runs: numberAt,
  promptTokens: numberAt,
  generatedTokens: numberAt,
  computedTokens: numberAt,
  cachedTokens: numberAt,
  computeMs: numberAt,
};

const parseUsage = record<Usage>({
  from: stringAt,
  to: stringAt,
  groupBy: nullable(oneOf('day', 'token', 'pipeline', 'project')),
  bucket: nullable(oneOf('hour', 'day')),
  projectId: nullable(stringAt),
  rows: listOf(record<UsageRow>({ bucket: nullable(stringAt), key: stringAt, name: nullable(stringAt), ...SUMS })),
  total: record<UsageSums>(SUMS),
  nextCursor: nullable(stringAt),
});

const parseAmount = record<Storage['bytes']>({ used: numberAt, limit: nullable(numberAt) });
const parseStorage = record<Storage>({ planId: stringAt, bytes: parseAmount, items: parseAmount });

const parseInvoice = record<InvoicePreview>({
  month: stringAt,
  userId: stringAt,
  planId: stringAt,
  currency: stringAt,
  lines: listOf(
    record<InvoiceLine>({
      description: stringAt,
      quantity: numberAt,
      unit: oneOf('month', 'token', 'ms'),
      price: numberAt,
      amount: stringAt,
    }),
  ),
  total: stringAt,
});

export function createUsageReports(endpoint: Endpoint): UsageReports {
  return {
    async get({ from, to, projectId, groupBy, bucket, top, limit, cursor, ...options } = {}) {
      const rows = { group_by: groupBy, bucket, top: top?.toString(), limit: limit?.toString(), cursor };
      const path = `/v2/usage${queryOf({ from, to, project_id: projectId, ...rows })}`;
      return await read(endpoint, path, parseUsage, options);
    },
    async csv({ from, to, projectId, signal } = {}) {
      const path = `/v2/usage.csv${queryOf({ from, to, project_id: projectId })}`;
      return await exchangeText(endpoint, { method: 'GET', path, accept: 'text/csv', signal });
    },
    storage: async (options) => await read(endpoint, '/v2/storage', parseStorage, options),
    async previewInvoice({ month, userId, ...options } = {}) {
      const path = `/v2/invoice-preview${queryOf({ month, user_id: userId })}`;
      return await read(endpoint, path, parseInvoice, options);
    },
  };
}
