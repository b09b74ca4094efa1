/** Daily usage and heartbeats, as the migrations in `store/migrations` create them; SQL functions there write them. */
import { bigint, date, pgTable, primaryKey, smallint, text } from 'drizzle-orm/pg-core';
import { moment } from '../../store/columns.ts';

const count = (name: string) => bigint(name, { mode: 'number' }).notNull();

export const usageDaily = pgTable(
  'usage_daily',
  {
    accountId: text('account_id').notNull(),
    day: date('day', { mode: 'string' }).notNull(),
    projectId: text('project_id').notNull(),
    userId: text('user_id').notNull(),
    apiKeyId: text('api_key_id').notNull(),
    pipeline: text('pipeline').notNull(),
    planId: text('plan_id').notNull(),
    runs: count('runs'),
    promptTokens: count('prompt_tokens'),
    generatedTokens: count('generated_tokens'),
    cachedTokens: count('cached_tokens'),
    computeMs: count('compute_ms'),
    computedTokens: count('computed_tokens'),
  },
  ({ accountId, day, projectId, userId, apiKeyId, pipeline, planId }) => [
    primaryKey({ columns: [accountId, day, projectId, userId, apiKeyId, pipeline, planId] }),
  ],
);

/** What a row of `usage_sums` adds up. */
export const USAGE_GROUPINGS = { project: 0, token: 1, pipeline: 2 } as const;

/** Sums of `usage_daily` that reports read. */
export const usageSums = pgTable(
  'usage_sums',
  {
    /** One of USAGE_GROUPINGS. */
    groupingId: smallint('grouping_id').notNull(),
    projectId: text('project_id').notNull(),
    day: date('day', { mode: 'string' }).notNull(),
    /** Empty for a project. */
    key: text('key').notNull(),
    runs: count('runs'),
    promptTokens: count('prompt_tokens'),
    generatedTokens: count('generated_tokens'),
    computedTokens: count('computed_tokens'),
    cachedTokens: count('cached_tokens'),
    computeMs: count('compute_ms'),
  },
  ({ groupingId, projectId, day, key }) => [primaryKey({ columns: [groupingId, projectId, day, key] })],
);

/** Sums of `usage_daily` for plans, invoices and lists of accounts. */
export const usageAccountDays = pgTable(
  'usage_account_days',
  {
    accountId: text('account_id').notNull(),
    day: date('day', { mode: 'string' }).notNull(),
    planId: text('plan_id').notNull(),
    runs: count('runs'),
    promptTokens: count('prompt_tokens'),
    generatedTokens: count('generated_tokens'),
    computedTokens: count('computed_tokens'),
    cachedTokens: count('cached_tokens'),
    computeMs: count('compute_ms'),
  },
  ({ accountId, day, planId }) => [primaryKey({ columns: [accountId, day, planId] })],
);

/** Usage by hour of the newest days. */
export const usageHourly = pgTable(
  'usage_hourly',
  {
    projectId: text('project_id').notNull(),
    hour: moment('hour').notNull(),
    apiKeyId: text('api_key_id').notNull(),
    pipeline: text('pipeline').notNull(),
    runs: count('runs'),
    promptTokens: count('prompt_tokens'),
    generatedTokens: count('generated_tokens'),
    computedTokens: count('computed_tokens'),
    cachedTokens: count('cached_tokens'),
    computeMs: count('compute_ms'),
  },
  ({ projectId, hour, apiKeyId, pipeline }) => [primaryKey({ columns: [projectId, hour, apiKeyId, pipeline] })],
);

/** Heartbeats of the processes that make reservations. */
export const usageHolders = pgTable('usage_holders', {
  holder: text('holder').primaryKey(),
  expiresAt: moment('expires_at').notNull(),
});
