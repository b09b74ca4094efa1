import { pgTable, text } from 'drizzle-orm/pg-core';
import { moment } from '../../store/columns.ts';

export const presets = pgTable('presets', {
  id: text('id').primaryKey(),
  projectId: text('project_id').notNull(),
  name: text('name').notNull(),
  parameters: text('parameters').notNull(),
  prompt: text('prompt'),
  createdAt: moment('created_at').notNull(),
  updatedAt: moment('updated_at').notNull(),
});
