import type { UsageGroup, UsageRow, UsageSums } from '@gptj-cloud/protocol';
import { and, asc, between, eq, type SQL, sql } from 'drizzle-orm';
import { findApiKeyNames } from '../../identity/api-keys/api-key-store.ts';
import { findProjectNames } from '../../identity/projects/project-store.ts';
import type { Database } from '../../store/db.ts';
import { usageDaily } from './usage-tables.ts';

/** Selects usage: days (UTC, both included), and a project, or null for all projects. */
export interface UsageFilter {
  readonly from: string;
  readonly to: string;
  readonly projectId: string | null;
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

const PAGE_ROWS = 1000;

const sum = (column: SQL | (typeof usageDaily)['runs']): SQL<number> => sql`sum(${column})`.mapWith(Number);
const sums = {
  runs: sum(usageDaily.runs),
  prompt_tokens: sum(usageDaily.promptTokens),
  generated_tokens: sum(usageDaily.generatedTokens),
  computed_tokens: sum(usageDaily.computedTokens),
  cached_tokens: sum(usageDaily.cachedTokens),
  compute_ms: sum(usageDaily.computeMs),
};

/** Sums for each key of the group, ordered by key. Tokens and projects carry their names while they exist. */
export async function listUsage(db: Database, filter: UsageFilter, group: UsageGroup): Promise<UsageRow[]> {
  const key = {
    day: usageDaily.day,
    token: usageDaily.apiKeyId,
    pipeline: usageDaily.pipeline,
    project: usageDaily.projectId,
  }[group];
  const rows = await db
    .select({ key: sql<string>`${key}::text`, ...sums })
    .from(usageDaily)
    .where(within(filter))
    .groupBy(key)
    .orderBy(asc(key));
  const ids = rows.map((row) => row.key);
  const names =
    group === 'token'
      ? await findApiKeyNames(db, ids)
      : group === 'project'
        ? await findProjectNames(db, ids)
        : new Map<string, string>();
  return rows.map(({ key, ...rest }) => ({ key, name: names.get(key) ?? null, ...rest }));
}

/** All rows of the meters, summed over users, in order, one page at a time. */
export async function* usageDetails(db: Database, filter: UsageFilter): AsyncGenerator<readonly UsageDetail[]> {
  const key = [
    usageDaily.day,
    usageDaily.projectId,
    usageDaily.apiKeyId,
    usageDaily.pipeline,
    usageDaily.planId,
  ] as const;
  const [day, projectId, apiKeyId, pipeline, planId] = key;
  let after: SQL | undefined;
  for (;;) {
    const page = await db
      .select({
        day: sql<string>`${day}::text`,
        project_id: projectId,
        token_id: apiKeyId,
        pipeline,
        plan: planId,
        ...sums,
      })
      .from(usageDaily)
      .where(and(within(filter), after))
      .groupBy(...key)
      .orderBy(...key.map((column) => asc(column)))
      .limit(PAGE_ROWS);
    const last = page.at(-1);
    if (last === undefined) return;
    const names = await findApiKeyNames(
      db,
      page.map((row) => row.token_id),
    );
    yield page.map((row) => ({ ...row, token_name: names.get(row.token_id) ?? '' }));
    if (page.length < PAGE_ROWS) return;
    after = sql`(${day}, ${projectId}, ${apiKeyId}, ${pipeline}, ${planId}) >
      (${last.day}::date, ${last.project_id}, ${last.token_id}, ${last.pipeline}, ${last.plan})`;
  }
}

/** An account's billable usage, by the plan in force at that time. */
export async function listPlanUsage(db: Database, accountId: string, from: string, to: string): Promise<PlanUsage[]> {
  return await db
    .select({ planId: usageDaily.planId, ...sums })
    .from(usageDaily)
    .where(and(eq(usageDaily.accountId, accountId), between(usageDaily.day, from, to)))
    .groupBy(usageDaily.planId)
    .orderBy(asc(usageDaily.planId));
}

function within({ from, to, projectId }: UsageFilter): SQL | undefined {
  return and(between(usageDaily.day, from, to), projectId === null ? undefined : eq(usageDaily.projectId, projectId));
}
