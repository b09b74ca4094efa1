/** Usage and invoice previews. */
import type { Endpoint } from '../connection.ts';
import { exchange, exchangeText } from '../exchange.ts';
import { arrayAt, literalAt, numberAt, objectAt, orNull, stringAt } from '../fields.ts';
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
  readonly total: UsageSums;
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
   * (20 by default, at most 50) have rows of their own.
   */
  get(
    options?: UsageOptions & { readonly groupBy?: UsageGroup; readonly bucket?: UsageBucket; readonly top?: number },
  ): Promise<Usage>;
  /** One line per day, project, token, pipeline and plan. */
  csv(options?: UsageOptions): Promise<string>;
  storage(options?: CallOptions): Promise<Storage>;
  /** `month` is `YYYY-MM`, by default the current one. Owners of the server may pass `userId`. */
  previewInvoice(
    options?: CallOptions & { readonly month?: string; readonly userId?: string },
  ): Promise<InvoicePreview>;
}

const GROUPS: Readonly<Record<UsageGroup, true>> = { day: true, token: true, pipeline: true, project: true };
const BUCKETS: Readonly<Record<UsageBucket, true>> = { hour: true, day: true };
const UNITS: Readonly<Record<InvoiceLine['unit'], true>> = { month: true, token: true, ms: true };

export function createUsageReports(endpoint: Endpoint): UsageReports {
  return {
    async get({ from, to, projectId, groupBy, bucket, top, signal } = {}) {
      const rows = { group_by: groupBy, bucket, top: top?.toString() };
      const path = `/v2/usage${queryOf({ from, to, project_id: projectId, ...rows })}`;
      return parseUsage(await exchange(endpoint, { method: 'GET', path, signal }));
    },
    async csv({ from, to, projectId, signal } = {}) {
      const path = `/v2/usage.csv${queryOf({ from, to, project_id: projectId })}`;
      return await exchangeText(endpoint, { method: 'GET', path, accept: 'text/csv', signal });
    },
    async storage({ signal } = {}) {
      return parseStorage(await exchange(endpoint, { method: 'GET', path: '/v2/storage', signal }));
    },
    async previewInvoice({ month, userId, signal } = {}) {
      const path = `/v2/invoice-preview${queryOf({ month, user_id: userId })}`;
      return parseInvoice(await exchange(endpoint, { method: 'GET', path, signal }));
    },
  };
}

function parseStorage(reply: unknown): Storage {
  const raw = objectAt(reply, 'storage');
  const amount = (field: 'bytes' | 'items'): Storage['bytes'] => {
    const { used, limit } = objectAt(raw[field], field);
    return {
      used: numberAt(used, `${field}.used`),
      limit: orNull(limit, (value) => numberAt(value, `${field}.limit`)),
    };
  };
  return { planId: stringAt(raw.plan_id, 'plan_id'), bytes: amount('bytes'), items: amount('items') };
}

function parseUsage(reply: unknown): Usage {
  const raw = objectAt(reply, 'usage');
  return {
    from: stringAt(raw.from, 'from'),
    to: stringAt(raw.to, 'to'),
    groupBy: orNull(raw.group_by, (value) => literalAt(GROUPS, value, 'group_by')),
    bucket: orNull(raw.bucket, (value) => literalAt(BUCKETS, value, 'bucket')),
    projectId: orNull(raw.project_id, (value) => stringAt(value, 'project_id')),
    rows: arrayAt(raw.rows, 'rows').map((value) => {
      const row = objectAt(value, 'rows');
      return {
        bucket: orNull(row.bucket, (bucket) => stringAt(bucket, 'bucket')),
        key: stringAt(row.key, 'key'),
        name: orNull(row.name, (name) => stringAt(name, 'name')),
        ...parseSums(row),
      };
    }),
    total: parseSums(raw.total),
  };
}

function parseSums(value: unknown): UsageSums {
  const sums = objectAt(value, 'total');
  return {
    runs: numberAt(sums.runs, 'runs'),
    promptTokens: numberAt(sums.prompt_tokens, 'prompt_tokens'),
    generatedTokens: numberAt(sums.generated_tokens, 'generated_tokens'),
    computedTokens: numberAt(sums.computed_tokens, 'computed_tokens'),
    cachedTokens: numberAt(sums.cached_tokens, 'cached_tokens'),
    computeMs: numberAt(sums.compute_ms, 'compute_ms'),
  };
}

function parseInvoice(reply: unknown): InvoicePreview {
  const raw = objectAt(reply, 'an invoice preview');
  return {
    month: stringAt(raw.month, 'month'),
    userId: stringAt(raw.user_id, 'user_id'),
    planId: stringAt(raw.plan_id, 'plan_id'),
    currency: stringAt(raw.currency, 'currency'),
    lines: arrayAt(raw.lines, 'lines').map((value) => {
      const line = objectAt(value, 'lines');
      return {
        description: stringAt(line.description, 'description'),
        quantity: numberAt(line.quantity, 'quantity'),
        unit: literalAt(UNITS, line.unit, 'unit'),
        price: numberAt(line.price, 'price'),
        amount: stringAt(line.amount, 'amount'),
      };
    }),
    total: stringAt(raw.total, 'total'),
  };
}
