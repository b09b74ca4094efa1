import { bigint, boolean, doublePrecision, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { moment } from '../store/columns.ts';

export const evaluations = pgTable('evaluations', {
  id: text('id').primaryKey(),
  projectId: text('project_id').notNull(),
  name: text('name').notNull(),
  hash: text('hash').notNull(),
  head: text('head').notNull(),
  received: text('received').notNull(),
  sizeBytes: bigint('size_bytes', { mode: 'number' }).notNull(),
  createdAt: moment('created_at').notNull(),
});

export const evaluationDocuments = pgTable(
  'evaluation_documents',
  {
    evaluationId: text('evaluation_id').notNull(),
    task: integer('task').notNull(),
    document: integer('document').notNull(),
    margin: doublePrecision('margin'),
    marginOrder: integer('margin_order').notNull(),
    chosen: integer('chosen').notNull(),
    isRight: boolean('is_right'),
    isRightNormalized: boolean('is_right_normalized'),
    body: text('body').notNull(),
  },
  ({ evaluationId, task, document }) => [primaryKey({ columns: [evaluationId, task, document] })],
);
