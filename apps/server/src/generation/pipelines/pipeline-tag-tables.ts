import { pgTable, text } from 'drizzle-orm/pg-core';
import { moment } from '../../store/columns.ts';

export const pipelineTags = pgTable('pipeline_tags', {
  id: text('id').primaryKey(),
  projectId: text('project_id').notNull(),
  name: text('name').notNull(),
  pipelineId: text('pipeline_id').notNull(),
  createdAt: moment('created_at').notNull(),
});
