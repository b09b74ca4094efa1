/** What projects store, as the triggers of the migrations 0009, 0014 and 0027 count it. */
import { bigint, pgTable, text } from 'drizzle-orm/pg-core';

export const projectStorage = pgTable('project_storage', {
  projectId: text('project_id').primaryKey(),
  bytes: bigint('bytes', { mode: 'number' }).notNull(),
  /** Files, data and runs. */
  items: bigint('items', { mode: 'number' }).notNull(),
  data: bigint('data', { mode: 'number' }).notNull().default(0),
});
