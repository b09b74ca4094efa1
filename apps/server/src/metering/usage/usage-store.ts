import type { UsageGroup, UsageRow, UsageSums } from '@gptj-cloud/protocol';
import { and, asc, between, eq, type SQL, sql } from 'drizzle-orm';
import { apiKeys, projects, users } from '../../identity/identity-tables.ts';
import type { Database } from '../../store/db.ts';
import { usageDaily } from './usage-tables.ts';

/** Which usage: days (UTC, both included), and the project, or null for all there are. */
export interface UsageFilter {
  readonly from: string;
  readonly to: string;
  readonly projectId: string | null;
}

/** One row of the meters, with the name of its token where that still exists. */
export interface UsageDetail extends UsageSums {
  readonly day: string;
  readonly project_id: string;
  readonly token_id: string;
  readonly token_name: string;
  readonly pipeline: string;
  readonly plan: string;
}

/** What an account used under one plan. */
export interface PlanUsage extends UsageSums {
  readonly planId: string;
}

const PAGE = 1000;

const sum = (column: SQL | (typeof usageDaily)['runs']): SQL<number> => sql`sum(${column})`.mapWith(Number);
const sums = {
  runs: sum(usageDaily.runs),
  prompt_tokens: sum(usageDaily.promptTokens),
  generated_tokens: sum(usageDaily.generatedTokens),
  cached_tokens: sum(usageDaily.cachedTokens),
  compute_ms: sum(usageDaily.computeMs),
};

/** Sums in the order of their keys. */
export async function listUsage(db: Database, filter: UsageFilter, group: UsageGroup): Promise<UsageRow[]> {
  const key = {
    day: usageDaily.day,
    token: usageDaily.apiKeyId,
    pipeline: usageDaily.pipeline,
    project: usageDaily.projectId,
  }[group];
  const name = { day: null, pipeline: null, token: apiKeys.name, project: projects.name }[group];
  return await db
    .select({ key: sql<string>`${key}::text`, name: sql<string | null>`max(${name}::text)`, ...sums })
    .from(usageDaily)
    .leftJoin(apiKeys, eq(apiKeys.id, usageDaily.apiKeyId))
    .leftJoin(projects, eq(projects.id, usageDaily.projectId))
    .where(within(filter))
    .groupBy(key)
    .orderBy(asc(key));
}

/** Every row of the meters but for who asked, in order, a page at a time. */
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
        token_name: sql<string>`coalesce(max(${apiKeys.name}), '')`,
        pipeline,
        plan: planId,
        ...sums,
      })
      .from(usageDaily)
      .leftJoin(apiKeys, eq(apiKeys.id, apiKeyId))
      .where(and(within(filter), after))
      .groupBy(...key)
      .orderBy(...key.map((column) => asc(column)))
      .limit(PAGE);
    if (page.length > 0) yield page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    after = sql`(${day}, ${projectId}, ${apiKeyId}, ${pipeline}, ${planId}) >
      (${last.day}::date, ${last.project_id}, ${last.token_id}, ${last.pipeline}, ${last.plan})`;
  }
}

/** What an account has to pay for, by the plan it was used under. */
export async function listPlanUsage(db: Database, accountId: string, from: string, to: string): Promise<PlanUsage[]> {
  return await db
    .select({ planId: usageDaily.planId, ...sums })
    .from(usageDaily)
    .where(and(eq(usageDaily.accountId, accountId), between(usageDaily.day, from, to)))
    .groupBy(usageDaily.planId)
    .orderBy(asc(usageDaily.planId));
}

/** The plan an account is on, or null when there is no such account. */
export async function findAccountPlan(
  db: Database,
  userId: string,
): Promise<{ readonly planId: string; readonly createdAt: Date } | null> {
  const columns = { planId: users.planId, createdAt: users.createdAt };
  const rows = await db.select(columns).from(users).where(eq(users.id, userId));
  return rows[0] ?? null;
}

function within({ from, to, projectId }: UsageFilter): SQL | undefined {
  return and(between(usageDaily.day, from, to), projectId === null ? undefined : eq(usageDaily.projectId, projectId));
}
