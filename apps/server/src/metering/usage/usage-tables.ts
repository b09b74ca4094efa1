/** Daily usage and heartbeats, as the migrations in `store/migrations` create them; SQL functions there write them. */
import { bigint, date, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
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

/** Heartbeats of the processes that make reservations. */
export const usageHolders = pgTable('usage_holders', {
  holder: text('holder').primaryKey(),
  expiresAt: moment('expires_at').notNull(),
});
