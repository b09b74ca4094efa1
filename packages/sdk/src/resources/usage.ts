/** What was used, and what it would cost. */
import type { Endpoint } from '../connection.ts';
import { exchange, exchangeText } from '../exchange.ts';
import { listAt, numberAt, objectAt, orNull, textAt, wordAt } from '../fields.ts';
import { type CallOptions, queryOf } from '../options.ts';

export type UsageGroup = 'day' | 'token' | 'pipeline' | 'project';

/** Sums of metered runs. Cached tokens are part of the prompt tokens. */
export interface UsageSums {
  readonly runs: number;
  readonly promptTokens: number;
  readonly generatedTokens: number;
  readonly cachedTokens: number;
  readonly computeMs: number;
}

export interface UsageRow extends UsageSums {
  /** A day (`2026-01-31`), or the id of a token, pipeline or project; empty for browser sessions. */
  readonly key: string;
  /** Name of the token or project, where it still exists. */
  readonly name: string | null;
}

export interface Usage {
  /** Days, both part of it. */
  readonly from: string;
  readonly to: string;
  readonly groupBy: UsageGroup;
  /** Null: all projects of the server, for its owners. */
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
  /** Of one month, of 1,000 tokens, of one hour. */
  readonly price: number;
  /** Decimal text, rounded to hundredths. */
  readonly amount: string;
}

/** Nothing is charged by it. */
export interface InvoicePreview {
  /** `YYYY-MM`. */
  readonly month: string;
  readonly userId: string;
  readonly planId: string;
  readonly currency: string;
  readonly lines: readonly InvoiceLine[];
  /** Decimal text. */
  readonly total: string;
}

export interface UsageReports {
  get(options?: UsageOptions & { readonly groupBy?: UsageGroup }): Promise<Usage>;
  /** One line per day, project, token, pipeline and plan. */
  csv(options?: UsageOptions): Promise<string>;
  /** Of `month` (`YYYY-MM`), by default the present one. Owners of the server may name a user. */
  previewInvoice(
    options?: CallOptions & { readonly month?: string; readonly userId?: string },
  ): Promise<InvoicePreview>;
}

const GROUPS: Readonly<Record<UsageGroup, true>> = { day: true, token: true, pipeline: true, project: true };
const UNITS: Readonly<Record<InvoiceLine['unit'], true>> = { month: true, token: true, ms: true };

export function createUsageReports(endpoint: Endpoint): UsageReports {
  return {
    async get({ from, to, projectId, groupBy, signal } = {}) {
      const path = `/v2/usage${queryOf({ from, to, project_id: projectId, group_by: groupBy })}`;
      return parseUsage(await exchange(endpoint, { method: 'GET', path, signal }));
    },
    async csv({ from, to, projectId, signal } = {}) {
      const path = `/v2/usage.csv${queryOf({ from, to, project_id: projectId })}`;
      return await exchangeText(endpoint, { method: 'GET', path, accept: 'text/csv', signal });
    },
    async previewInvoice({ month, userId, signal } = {}) {
      const path = `/v2/invoice-preview${queryOf({ month, user_id: userId })}`;
      return parseInvoice(await exchange(endpoint, { method: 'GET', path, signal }));
    },
  };
}

function parseUsage(reply: unknown): Usage {
  const raw = objectAt(reply, 'usage');
  return {
    from: textAt(raw.from, 'from'),
    to: textAt(raw.to, 'to'),
    groupBy: wordAt(GROUPS, raw.group_by, 'group_by'),
    projectId: orNull(raw.project_id, (value) => textAt(value, 'project_id')),
    rows: listAt(raw.rows, 'rows').map((value) => {
      const row = objectAt(value, 'rows');
      return {
        key: textAt(row.key, 'key'),
        name: orNull(row.name, (name) => textAt(name, 'name')),
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
    cachedTokens: numberAt(sums.cached_tokens, 'cached_tokens'),
    computeMs: numberAt(sums.compute_ms, 'compute_ms'),
  };
}

function parseInvoice(reply: unknown): InvoicePreview {
  const raw = objectAt(reply, 'an invoice preview');
  return {
    month: textAt(raw.month, 'month'),
    userId: textAt(raw.user_id, 'user_id'),
    planId: textAt(raw.plan_id, 'plan_id'),
    currency: textAt(raw.currency, 'currency'),
    lines: listAt(raw.lines, 'lines').map((value) => {
      const line = objectAt(value, 'lines');
      return {
        description: textAt(line.description, 'description'),
        quantity: numberAt(line.quantity, 'quantity'),
        unit: wordAt(UNITS, line.unit, 'unit'),
        price: numberAt(line.price, 'price'),
        amount: textAt(line.amount, 'amount'),
      };
    }),
    total: textAt(raw.total, 'total'),
  };
}
