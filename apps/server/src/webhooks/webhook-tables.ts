import { boolean, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { moment } from '../store/columns.ts';

export const webhooks = pgTable('webhooks', {
  id: text('id').primaryKey(),
  projectId: text('project_id').notNull(),
  url: text('url').notNull(),
  host: text('host').notNull(),
  secret: text('secret').notNull(),
  previousSecret: text('previous_secret'),
  previousSecretUntil: moment('previous_secret_until'),
  events: text('events').notNull(),
  isEnabled: boolean('is_enabled').notNull(),
  failedAttempts: integer('failed_attempts').notNull().default(0),
  failingSince: moment('failing_since'),
  disabledAt: moment('disabled_at'),
  disabledReason: text('disabled_reason'),
  replays: integer('replays').notNull().default(0),
  replaysSince: moment('replays_since'),
  createdAt: moment('created_at').notNull(),
  updatedAt: moment('updated_at').notNull(),
});

export const webhookDeliveries = pgTable('webhook_deliveries', {
  id: text('id').primaryKey(),
  webhookId: text('webhook_id').notNull(),
  runId: text('run_id'),
  event: text('event').notNull(),
  state: text('state').notNull(),
  attempts: integer('attempts').notNull().default(0),
  createdAt: moment('created_at').notNull(),
  dueAt: moment('due_at').notNull(),
  endedAt: moment('ended_at'),
  responseStatus: integer('response_status'),
  failure: text('failure'),
});

export const webhookReceivers = pgTable(
  'webhook_receivers',
  {
    projectId: text('project_id').notNull(),
    host: text('host').notNull(),
    failures: integer('failures').notNull(),
    openUntil: moment('open_until'),
    updatedAt: moment('updated_at').notNull(),
  },
  ({ projectId, host }) => [primaryKey({ columns: [projectId, host] })],
);

export const webhookProjects = pgTable('webhook_projects', {
  projectId: text('project_id').primaryKey(),
  replays: integer('replays').notNull(),
  replaysSince: moment('replays_since').notNull(),
});
