/** What projects store, as migration 0009 counts it by triggers. */
import { bigint, pgTable, text } from 'drizzle-orm/pg-core';

export const projectStorage = pgTable('project_storage', {
  projectId: text('project_id').primaryKey(),
  bytes: bigint('bytes', { mode: 'number' }).notNull(),
  items: bigint('items', { mode: 'number' }).notNull(),
});
