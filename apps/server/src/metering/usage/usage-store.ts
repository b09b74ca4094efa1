import { setImmediate } from 'node:timers/promises';
import type { UsageCursor, UsageGroup, UsageRow, UsageSums } from '@gptj-cloud/protocol';
import { and, asc, between, eq, gte, inArray, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { findApiKeyNames } from '../../identity/api-keys/api-key-store.ts';
import { findProjectNames } from '../../identity/projects/project-store.ts';
import type { Database } from '../../store/db.ts';
import { USAGE_GROUPINGS, usageAccountDays, usageDaily, type usageHourly, usageSums } from './usage-tables.ts';

/** Selects usage: days (UTC, both included), and a project, or null for all projects. */
export interface UsageFilter {
  readonly from: string;
  readonly to: string;
  readonly projectId: string | null;
}

/** Which rows of a reply: `limit` of them after one; null: all. */
export type UsagePage = { readonly limit: number; readonly after: UsageCursor | undefined } | null;

/** The rows of a page, and one more where there is a next page. */
export interface UsagePageRows {
  readonly rows: UsageRow[];
  /** Of all rows, also those of other pages. */
  readonly total: UsageSums;
}

/** One row of the meters, with the name of its token while the token exists. */
export interface UsageDetail extends UsageSums {
  readonly day: string;
  readonly project_id: string;
  readonly token_id: string;
  readonly token_name: string;
  readonly pipeline: string;
  readonly plan: string;
}

/** An account's usage under one plan. */
export interface PlanUsage extends UsageSums {
  readonly planId: string;
}

/** Rows of one page of the CSV: a page is found and written in a few milliseconds. */
const PAGE_ROWS = 1000;

const sum = (column: PgColumn) => sql<number>`sum(${column})`.mapWith(Number).as(column.name);
/** The sums of the columns of a table of usage. */
export const sumsOf = (table: typeof usageSums | typeof usageHourly | typeof usageAccountDays) => ({
  runs: sum(table.runs),
  prompt_tokens: sum(table.promptTokens),
  generated_tokens: sum(table.generatedTokens),
  computed_tokens: sum(table.computedTokens),
  cached_tokens: sum(table.cachedTokens),
  compute_ms: sum(table.computeMs),
});

/** Sums for each key of the group, ordered by key. Tokens and projects carry their names while they exist. */
export async function listUsage(
  db: Database,
  filter: UsageFilter,
  group: UsageGroup,
  page: UsagePage,
): Promise<UsagePageRows> {
  const { grouping, key } = {
    day: { grouping: USAGE_GROUPINGS.project, key: usageSums.day },
    project: { grouping: USAGE_GROUPINGS.project, key: usageSums.projectId },
    token: { grouping: USAGE_GROUPINGS.token, key: usageSums.key },
    pipeline: { grouping: USAGE_GROUPINGS.pipeline, key: usageSums.key },
  }[group];
  const where = and(eq(usageSums.groupingId, grouping), within(usageSums, filter));
  const isAfter = page?.after === undefined ? undefined : sql`${key}::text > ${page.after.key}`;
  const query = db
    .select({ key: sql<string>`${key}::text`, ...sumsOf(usageSums) })
    .from(usageSums)
    .where(and(where, isAfter))
    .groupBy(key)
    .orderBy(asc(key));
  const rows = await (page === null ? query : query.limit(page.limit + 1));
  const ids = rows.map((row) => row.key);
  const names =
    group === 'token'
      ? await findApiKeyNames(db, ids)
      : group === 'project'
        ? await findProjectNames(db, ids)
        : new Map<string, string>();
  return {
    rows: rows.map(({ key, ...rest }) => ({ key, name: names.get(key) ?? null, ...rest })),
    total: page === null ? sumOfRows(rows) : await sumUsage(db, usageSums, where),
  };
}

/** The sums of all rows of a table of usage that a condition selects. */
export async function sumUsage(
  db: Database,
  table: typeof usageSums | typeof usageHourly,
  where: SQL | undefined,
): Promise<UsageSums> {
  const rows = await db.select(sumsOf(table)).from(table).where(where);
  return sumOfRows(rows);
}

/** The sums of some rows; a sum of nothing, which is null in the store, counts as zero. */
export function sumOfRows(rows: readonly UsageSums[]): UsageSums {
  const sum = (field: keyof UsageSums): number => rows.reduce((all, row) => all + (row[field] ?? 0), 0);
  return {
    runs: sum('runs'),
    prompt_tokens: sum('prompt_tokens'),
    generated_tokens: sum('generated_tokens'),
    computed_tokens: sum('computed_tokens'),
    cached_tokens: sum('cached_tokens'),
    compute_ms: sum('compute_ms'),
  };
}

/**
 * All rows of the meters, summed over users, in order, one page at a time. Every page is read from an index, after the last
 * row of the one before.
 */
export async function* usageDetails(db: Database, filter: UsageFilter): AsyncGenerator<readonly UsageDetail[]> {
  const nameOf = tokenNames(db);
  let open: UsageDetail | undefined;
  let next = meterRows(db, filter, undefined);
  for (;;) {
    const page = await next;
    const isEnd = page.length < PAGE_ROWS;
    // The store reads the next page while this one is written.
    if (!isEnd) next = prefetch(meterRows(db, filter, page.at(-1)));
    const names = await nameOf(page.map((row) => row.token_id));
    const lines: UsageDetail[] = [];
    for (const row of page) {
      // No copy of the row: this is done a million times for a year of a busy server.
      const detail = Object.assign(row, { token_name: names.get(row.token_id) ?? '' });
      if (open !== undefined && isSameLine(open, detail)) open = addUsage(open, detail);
      else {
        if (open !== undefined) lines.push(open);
        open = detail;
      }
    }
    if (isEnd && open !== undefined) lines.push(open);
    if (lines.length > 0) yield lines;
    if (isEnd) return;
    // Other requests have their turn, also when the reader and the store are faster than the event loop.
    await setImmediate();
  }
}

/** A promise that may be given up: its rejection is then no unhandled one. */
function prefetch<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(() => {});
  return promise;
}

/** The names of tokens; each is looked up once. */
function tokenNames(db: Database): (ids: readonly string[]) => Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  return async (ids) => {
    const unknown = [...new Set(ids)].filter((id) => !names.has(id));
    if (unknown.length === 0) return names;
    const found = await findApiKeyNames(db, unknown);
    for (const id of unknown) names.set(id, found.get(id) ?? '');
    return names;
  };
}

interface MeterRow extends Omit<UsageDetail, 'token_name'> {
  readonly account_id: string;
  readonly user_id: string;
}

/** Rows of `usage_daily` in the order of its indexes `usage_daily_by_day` and `usage_daily_by_project`. */
async function meterRows(db: Database, filter: UsageFilter, last: MeterRow | undefined): Promise<readonly MeterRow[]> {
  const { day, projectId, apiKeyId, pipeline, planId, accountId, userId } = usageDaily;
  const isOfAll = filter.projectId === null;
  const key = [day, ...(isOfAll ? [projectId] : []), apiKeyId, pipeline, planId, accountId, userId];
  const after =
    last === undefined
      ? undefined
      : isOfAll
        ? sql`(${sql.join(key, sql`, `)}) > (${last.day}::date, ${last.project_id}, ${last.token_id}, ${last.pipeline},
            ${last.plan}, ${last.account_id}, ${last.user_id})`
        : sql`(${sql.join(key, sql`, `)}) > (${last.day}::date, ${last.token_id}, ${last.pipeline}, ${last.plan},
            ${last.account_id}, ${last.user_id})`;
  return await db
    .select({
      day: sql<string>`${day}::text`,
      project_id: projectId,
      token_id: apiKeyId,
      pipeline,
      plan: planId,
      account_id: accountId,
      user_id: userId,
      runs: usageDaily.runs,
      prompt_tokens: usageDaily.promptTokens,
      generated_tokens: usageDaily.generatedTokens,
      computed_tokens: usageDaily.computedTokens,
      cached_tokens: usageDaily.cachedTokens,
      compute_ms: usageDaily.computeMs,
    })
    .from(usageDaily)
    .where(and(within(usageDaily, filter), after))
    .orderBy(...key.map((column) => asc(column)))
    .limit(PAGE_ROWS);
}

function isSameLine(a: UsageDetail, b: UsageDetail): boolean {
  return (
    a.day === b.day &&
    a.project_id === b.project_id &&
    a.token_id === b.token_id &&
    a.pipeline === b.pipeline &&
    a.plan === b.plan
  );
}

function addUsage(a: UsageDetail, b: UsageSums): UsageDetail {
  return {
    ...a,
    runs: a.runs + b.runs,
    prompt_tokens: a.prompt_tokens + b.prompt_tokens,
    generated_tokens: a.generated_tokens + b.generated_tokens,
    computed_tokens: a.computed_tokens + b.computed_tokens,
    cached_tokens: a.cached_tokens + b.cached_tokens,
    compute_ms: a.compute_ms + b.compute_ms,
  };
}

/** An account's billable usage, by the plan in force at that time. */
export async function listPlanUsage(db: Database, accountId: string, from: string, to: string): Promise<PlanUsage[]> {
  return await db
    .select({ planId: usageAccountDays.planId, ...sumsOf(usageAccountDays) })
    .from(usageAccountDays)
    .where(and(eq(usageAccountDays.accountId, accountId), between(usageAccountDays.day, from, to)))
    .groupBy(usageAccountDays.planId)
    .orderBy(asc(usageAccountDays.planId));
}

function within(
  { day, projectId }: typeof usageDaily | typeof usageSums,
  { from, to, projectId: only }: UsageFilter,
): SQL | undefined {
  return and(between(day, from, to), only === null ? undefined : eq(projectId, only));
}

/** The runs that accounts pay for, from a day on. */
export async function countRunsOfAccounts(
  db: Database,
  accountIds: readonly string[],
  fromDay: string,
): Promise<ReadonlyMap<string, number>> {
  if (accountIds.length === 0) return new Map();
  const rows = await db
    .select({ accountId: usageAccountDays.accountId, runs: sql`sum(${usageAccountDays.runs})`.mapWith(Number) })
    .from(usageAccountDays)
    .where(and(inArray(usageAccountDays.accountId, [...accountIds]), gte(usageAccountDays.day, fromDay)))
    .groupBy(usageAccountDays.accountId);
  return new Map(rows.map(({ accountId, runs }) => [accountId, runs]));
}
