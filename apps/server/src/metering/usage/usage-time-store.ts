/** Usage by hour or day, and by one more key: tokens, pipelines or projects. */
import { OTHER_KEYS, type UsageBucket } from '@gptj-cloud/protocol';
import { and, asc, between, eq, gte, lt, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { findApiKeyNames } from '../../identity/api-keys/api-key-store.ts';
import { findProjectNames } from '../../identity/projects/project-store.ts';
import type { Database } from '../../store/db.ts';
import { sumOfRows, sumsOf, sumUsage, type UsageFilter, type UsagePage, type UsagePageRows } from './usage-store.ts';
import { USAGE_GROUPINGS, usageHourly, usageSums } from './usage-tables.ts';

export interface UsageOverTime {
  readonly bucket: UsageBucket;
  /** Null: time alone. */
  readonly group: 'token' | 'pipeline' | 'project' | null;
  /** Keys with a row of their own in each bucket, those with the most computed tokens; the others are added up. */
  readonly top: number;
}

/** Rows of a table of usage, with the columns that the sums of a reply are made of. */
interface Source {
  readonly table: typeof usageSums | typeof usageHourly;
  readonly where: SQL | undefined;
  /** An hour or a day. */
  readonly time: PgColumn;
  /** As the reply has it, of such a time. */
  readonly textOf: (time: SQL) => SQL<string>;
  readonly key: SQL | PgColumn;
}

/** Sums for each bucket and key that has any, in the order of time, then of keys. */
export async function listUsageOverTime(
  db: Database,
  filter: UsageFilter,
  query: UsageOverTime,
  page: UsagePage,
): Promise<UsagePageRows> {
  const source = query.bucket === 'day' ? daily(filter, query.group) : hourly(filter, query.group);
  const tops = query.group === null ? null : await topKeys(db, source, query.top);
  const { table, where } = source;
  const key =
    tops === null
      ? sql<string>`''`
      : sql<string>`CASE WHEN ${source.key} = ANY(${sql.param([...tops])}) THEN ${source.key} ELSE ${OTHER_KEYS} END`;
  const added = db
    .select({ time: sql`${source.time}`.as('row_time'), key: key.as('row_key'), ...sumsOf(table) })
    .from(table)
    .where(where)
    // By position: with parameters of its own, the same expression would count as another one.
    .groupBy(sql`1, 2`)
    .as('added');
  // Writing a time as text takes longer than adding a row: once for each sum.
  const sums = db
    .select({
      bucket: source.textOf(sql`row_time`).as('row_bucket'),
      key: added.key,
      runs: added.runs,
      prompt_tokens: added.prompt_tokens,
      generated_tokens: added.generated_tokens,
      computed_tokens: added.computed_tokens,
      cached_tokens: added.cached_tokens,
      compute_ms: added.compute_ms,
    })
    .from(added)
    .as('sums');
  const after = page?.after;
  const ordered = db
    .select()
    .from(sums)
    .where(after === undefined ? undefined : sql`(${sums.bucket}, ${sums.key}) > (${after.bucket}, ${after.key})`)
    .orderBy(asc(sums.bucket), asc(sums.key));
  const rows = await (page === null ? ordered : ordered.limit(page.limit + 1));
  const names = await namesOf(db, query.group, tops ?? []);
  return {
    rows: rows.map((row) => ({ ...row, name: names.get(row.key) ?? null })),
    total: page === null ? sumOfRows(rows) : await sumUsage(db, table, where),
  };
}

async function topKeys(db: Database, { table, where, key }: Source, top: number): Promise<readonly string[]> {
  const rows = await db
    .select({ key: sql<string>`${key}`.as('key') })
    .from(table)
    .where(where)
    .groupBy(sql`1`)
    .orderBy(sql`sum(${table.computedTokens}) DESC, 1`)
    .limit(top);
  return rows.map((row) => row.key);
}

async function namesOf(
  db: Database,
  group: UsageOverTime['group'],
  keys: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (group === 'token') return await findApiKeyNames(db, keys);
  return group === 'project' ? await findProjectNames(db, keys) : new Map();
}

function daily({ from, to, projectId }: UsageFilter, group: UsageOverTime['group']): Source {
  const grouping = USAGE_GROUPINGS[group ?? 'project'];
  return {
    table: usageSums,
    where: and(
      eq(usageSums.groupingId, grouping),
      between(usageSums.day, from, to),
      projectId === null ? undefined : eq(usageSums.projectId, projectId),
    ),
    time: usageSums.day,
    textOf: (time) => sql`${time}::text`,
    key: group === 'project' ? usageSums.projectId : usageSums.key,
  };
}

function hourly({ from, to, projectId }: UsageFilter, group: UsageOverTime['group']): Source {
  const start = new Date(`${from}T00:00:00Z`);
  const end = new Date(Date.parse(`${to}T00:00:00Z`) + 86_400_000);
  return {
    table: usageHourly,
    where: and(
      gte(usageHourly.hour, start),
      lt(usageHourly.hour, end),
      projectId === null ? undefined : eq(usageHourly.projectId, projectId),
    ),
    time: usageHourly.hour,
    textOf: (time) => sql`to_char(${time} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:00"Z"')`,
    key: { token: usageHourly.apiKeyId, pipeline: usageHourly.pipeline, project: usageHourly.projectId }[
      group ?? 'project'
    ],
  };
}

/** Remove hours before `horizon`; their days stay. Returns their number. */
export async function removeOldHours(db: Database, horizon: Date): Promise<number> {
  const removed = await db
    .delete(usageHourly)
    .where(lt(usageHourly.hour, horizon))
    .returning({ hour: usageHourly.hour });
  return removed.length;
}
