import {
  ApiError,
  formatUsageCursor,
  type InvoicePreview,
  invalidParameter,
  parseQueryDay,
  parseQueryMonth,
  type QueryValue,
  type StorageGet,
  type UsageBucket,
  type UsageCursor,
  type UsageGet,
  type UsageGroup,
} from '@gptj-cloud/protocol';
import { isServerOwner, type Principal } from '../../identity/principal.ts';
import { findUser } from '../../identity/users/user-store.ts';
import type { Database } from '../../store/db.ts';
import { type Polling, startPolling } from '../../store/polling.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { PlanBook } from '../plans/plan-book.ts';
import type { StorageLimits } from '../storage/storage-limits.ts';
import { csvLines } from './csv.ts';
import { invoicePreview } from './invoice.ts';
import {
  countRunsOfAccounts,
  listPlanUsage,
  listUsage,
  type UsageFilter,
  type UsagePage,
  type UsagePageRows,
  usageDetails,
} from './usage-store.ts';
import { listUsageOverTime, removeOldHours } from './usage-time-store.ts';

export interface UsageServiceDeps {
  readonly db: Database;
  readonly plans: PlanBook;
  readonly storage: StorageLimits;
  readonly clock: () => Date;
  /** Resolves when what was computed so far is metered. Default: at once. */
  readonly settled?: () => Promise<void>;
}

/** Query parameters of a request for usage, unparsed. */
export interface UsageQuery {
  readonly from: QueryValue;
  readonly to: QueryValue;
  readonly projectId: QueryValue;
}

/** The rows of a reply. */
export interface UsageRows {
  /** Default: the day, or with `bucket` nothing but time. */
  readonly groupBy: UsageGroup | undefined;
  readonly bucket: UsageBucket | undefined;
  /** Keys with rows of their own, where there is a bucket. */
  readonly top: number;
  /** Rows of a page. Without it and `cursor`: all rows. */
  readonly limit: number | undefined;
  readonly cursor: UsageCursor | undefined;
}

export interface UsageService {
  /** Sums. Default: by day, from the first of this month until today. Throws `invalid_request`, `not_found`. */
  list(principal: Principal, query: UsageQuery & UsageRows): Promise<UsageGet>;
  /** All rows as CSV, page by page. Throws what `list` throws, before the first page. */
  csv(principal: Principal, query: UsageQuery): AsyncIterable<string>;
  /** The runs that each of the users has paid for in the last 30 days. */
  recentRuns(userIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** What the account of the project stores, and the limits of its plan. */
  storage(principal: Principal): Promise<StorageGet>;
  /** A month's costs of the caller, or for owners of the server of any user. Throws `invalid_request`, `not_found`. */
  invoice(
    principal: Principal,
    query: { readonly month: QueryValue; readonly userId: QueryValue },
  ): Promise<InvoicePreview>;
}

const MAX_DAYS = 366;
/** Of a page. */
export const MAX_USAGE_ROWS = 1000;
/** Of a reply by hour. */
const MAX_HOURLY_DAYS = 31;
/** Days whose hours are kept. */
const HOURLY_RETENTION_DAYS = 62;
const DAY_MS = 86_400_000;
const COLUMNS = [
  'day',
  'project_id',
  'token_id',
  'token_name',
  'pipeline',
  'plan',
  'runs',
  'prompt_tokens',
  'generated_tokens',
  'cached_tokens',
  'compute_ms',
  'computed_tokens',
] as const;

export function createUsageService(deps: UsageServiceDeps): UsageService {
  const { db, plans, storage, clock, settled = async () => {} } = deps;
  const today = (): string => clock().toISOString().slice(0, 10);
  const filterOf = (principal: Principal, query: UsageQuery): UsageFilter => {
    const to = parseQueryDay('to', query.to, today());
    const from = parseQueryDay('from', query.from, `${to.slice(0, 7)}-01`);
    const days = (Date.parse(to) - Date.parse(from)) / DAY_MS + 1;
    if (days < 1 || days > MAX_DAYS) {
      throw invalidParameter('query->from', `expected 1 to ${MAX_DAYS} days up to ${to}, got ${from}`);
    }
    return { from, to, projectId: projectOf(principal, query.projectId) };
  };
  return {
    async list(principal, query) {
      const filter = filterOf(principal, query);
      await settled();
      const { groupBy, bucket, limit, cursor } = query;
      const isPage = limit !== undefined || cursor !== undefined;
      const page: UsagePage = isPage ? { limit: limit ?? MAX_USAGE_ROWS, after: cursor } : null;
      const { from, to, projectId: project_id } = filter;
      if (bucket === undefined) {
        const group = groupBy ?? 'day';
        const found = await listUsage(db, filter, group, page);
        return { from, to, group_by: group, bucket: null, project_id, ...pageOf(found, page) };
      }
      if (groupBy === 'day') {
        throw invalidParameter(
          'query->group_by',
          'expected token, pipeline or project, or none, where bucket is given',
        );
      }
      if (bucket === 'hour') checkHours(filter, clock());
      const group = groupBy ?? null;
      const found = await listUsageOverTime(db, filter, { bucket, group, top: query.top }, page);
      return { from, to, group_by: group, bucket, project_id, ...pageOf(found, page) };
    },
    csv(principal, query) {
      return csvPages(db, filterOf(principal, query), settled);
    },
    async recentRuns(userIds) {
      await settled();
      const from = new Date(clock().getTime() - 29 * DAY_MS).toISOString().slice(0, 10);
      return await countRunsOfAccounts(db, userIds, from);
    },
    storage: (principal) => storage.read(db, principal),
    async invoice(principal, query) {
      const month = parseQueryMonth('month', query.month, today().slice(0, 7));
      const userId = userOf(principal, query.userId);
      const account = await findUser(db, userId);
      if (account === null) throw new ApiError('not_found', { kind: 'user', id: userId.slice(0, 100) });
      await settled();
      const usage = await listPlanUsage(db, userId, `${month}-01`, lastDay(month));
      const planOf = (id: string) => plans.planOf({ planId: id });
      const isMember = month >= account.createdAt.toISOString().slice(0, 7) && month <= today().slice(0, 7);
      const plan = planOf(account.planId);
      return invoicePreview({ month, userId, currency: plans.currency, plan, isMember, planOf, usage });
    },
  };
}

/** Throws `invalid_request` for days whose hours are not kept, and for more days than one reply has. */
function checkHours({ from, to }: UsageFilter, now: Date): void {
  const days = (Date.parse(to) - Date.parse(from)) / DAY_MS + 1;
  if (days > MAX_HOURLY_DAYS) {
    throw invalidParameter(
      'query->bucket',
      `expected up to ${MAX_HOURLY_DAYS} days by hour, got ${days}; ask for days`,
    );
  }
  const first = new Date(now.getTime() - (HOURLY_RETENTION_DAYS - 1) * DAY_MS).toISOString().slice(0, 10);
  if (from < first) {
    throw invalidParameter(
      'query->from',
      `expected ${first} or later, where hours are kept, got ${from}; ask for days`,
    );
  }
}

async function* csvPages(db: Database, filter: UsageFilter, settled: () => Promise<void>): AsyncGenerator<string> {
  await settled();
  yield csvLines([COLUMNS]);
  for await (const page of usageDetails(db, filter)) {
    yield csvLines(page.map((row) => COLUMNS.map((column) => row[column])));
  }
}

/** The principal's project. Owners of the server may name any, and see all projects (null) by default. */
function projectOf(principal: Principal, requested: QueryValue): string | null {
  if (requested === undefined || requested === '') return isServerOwner(principal) ? null : principal.projectId;
  if (requested !== principal.projectId && !isServerOwner(principal)) {
    throw new ApiError('not_found', { kind: 'project', id: requested.slice(0, 100) });
  }
  return requested;
}

function userOf(principal: Principal, requested: QueryValue): string {
  if (requested === undefined || requested === '' || requested === principal.userId) return principal.userId;
  if (!isServerOwner(principal)) throw new ApiError('not_found', { kind: 'user', id: requested.slice(0, 100) });
  return requested;
}

function lastDay(month: string): string {
  const [year, number] = month.split('-').map(Number);
  return new Date(Date.UTC(year ?? 0, number ?? 0, 0)).toISOString().slice(0, 10);
}

/** The rows of a page, of which `found` has one more where there is a next page. */
function pageOf(
  { rows: found, total }: UsagePageRows,
  page: UsagePage,
): Pick<UsageGet, 'rows' | 'total' | 'next_cursor'> {
  const rows = page === null ? found : found.slice(0, page.limit);
  const last = rows.at(-1);
  const next_cursor =
    rows.length === found.length || last === undefined
      ? null
      : formatUsageCursor({ bucket: last.bucket ?? '', key: last.key });
  return { rows, total, next_cursor };
}

/** Remove the hours of usage that are not kept, every hour. */
export function startHourlyRetention({
  db,
  clock,
  logger,
  mayWork,
}: {
  readonly db: Database;
  readonly clock: () => Date;
  readonly logger: Logger;
  /** Whether this process does it, of those on the store. */
  readonly mayWork: () => Promise<boolean>;
}): Polling {
  return startPolling(() => removeOldHours(db, new Date(clock().getTime() - HOURLY_RETENTION_DAYS * DAY_MS)), {
    everyMs: 3_600_000,
    mayWork,
    onError: (error) => logger.error('old hours of usage could not be removed', { error }),
  });
}
