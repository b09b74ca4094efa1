/** The audit log, as the migrations in `store/migrations` create it. */
import { bigint, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { moment } from '../store/columns.ts';

export const auditLog = pgTable('audit_log', {
  id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
  at: moment('at').notNull(),
  userId: text('user_id'),
  apiKeyId: text('api_key_id'),
  action: text('action').notNull(),
  subject: text('subject'),
  projectId: text('project_id'),
  address: text('address'),
  requestId: text('request_id'),
  details: text('details').notNull(),
});

export const auditRepeats = pgTable(
  'audit_repeats',
  {
    actor: text('actor').notNull(),
    action: text('action').notNull(),
    since: moment('since').notNull(),
    count: integer('count').notNull(),
    listed: integer('listed').notNull(),
  },
  ({ actor, action }) => [primaryKey({ columns: [actor, action] })],
);
