/** What is left of the plan. */
import type { Endpoint } from '../connection.ts';
import { read } from '../exchange.ts';
import { dateAt, nullable, numberAt, record, stringAt } from '../fields.ts';
import type { CallOptions } from '../options.ts';

/** Used tokens of a day or a month. A limit of null is none. */
export interface UsedTokens {
  readonly used: number;
  readonly limit: number | null;
  /** The most that runs which have not ended may still use. */
  readonly reserved: number;
  readonly resetsAt: Date;
}

/** `used` is null where the plan limits nothing, so that nothing is counted. */
export interface CountedUse {
  readonly used: number | null;
  readonly limit: number | null;
}

/** What the account of the project has used of the limits of its plan, over all its projects. */
export interface Limits {
  readonly planId: string;
  /** Computed tokens of today, UTC. */
  readonly day: UsedTokens;
  readonly month: UsedTokens;
  /** Accepted runs and direct generations that have not ended. */
  readonly running: CountedUse;
  /** Requests that were admitted within the last minute. */
  readonly requests: CountedUse;
  readonly storedBytes: { readonly used: number; readonly limit: number | null };
  readonly storedItems: { readonly used: number; readonly limit: number | null };
}

export interface LimitReports {
  /** Needs the scope `read` or `run`. */
  get(options?: CallOptions): Promise<Limits>;
}

const limit = nullable(numberAt);
const parseTokens = record<UsedTokens>({ used: numberAt, limit, reserved: numberAt, resetsAt: dateAt });
const parseCounted = record<CountedUse>({ used: limit, limit });
const parseStored = record<Limits['storedBytes']>({ used: numberAt, limit });
const parseLimits = record<Limits>({
  planId: stringAt,
  day: parseTokens,
  month: parseTokens,
  running: parseCounted,
  requests: parseCounted,
  storedBytes: parseStored,
  storedItems: parseStored,
});

export function createLimitReports(endpoint: Endpoint): LimitReports {
  return { get: async (options) => await read(endpoint, '/v2/limits', parseLimits, options) };
}
