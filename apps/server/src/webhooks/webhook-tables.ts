import { boolean, integer, pgTable, text } from 'drizzle-orm/pg-core';
import { moment } from '../store/columns.ts';

export const webhooks = pgTable('webhooks', {
  id: text('id').primaryKey(),
  projectId: text('project_id').notNull(),
  url: text('url').notNull(),
  secret: text('secret').notNull(),
  events: text('events').notNull(),
  isEnabled: boolean('is_enabled').notNull(),
  createdAt: moment('created_at').notNull(),
  updatedAt: moment('updated_at').notNull(),
});

export const webhookDeliveries = pgTable('webhook_deliveries', {
  id: text('id').primaryKey(),
  webhookId: text('webhook_id').notNull(),
  runId: text('run_id').notNull(),
  event: text('event').notNull(),
  state: text('state').notNull(),
  attempts: integer('attempts').notNull().default(0),
  createdAt: moment('created_at').notNull(),
  dueAt: moment('due_at').notNull(),
  endedAt: moment('ended_at'),
  responseStatus: integer('response_status'),
  failure: text('failure'),
});
