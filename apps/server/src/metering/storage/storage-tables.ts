/** What projects store, as the triggers of the migrations 0009 and 0014 count it. */
import { bigint, pgTable, text } from 'drizzle-orm/pg-core';

export const projectStorage = pgTable('project_storage', {
  projectId: text('project_id').primaryKey(),
  bytes: bigint('bytes', { mode: 'number' }).notNull(),
  items: bigint('items', { mode: 'number' }).notNull(),
});
