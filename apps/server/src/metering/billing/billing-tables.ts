/** Subscriptions and plan requests, as the migrations in `store/migrations` create them. */
import { pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { users } from '../../identity/identity-tables.ts';
import { moment } from '../../store/columns.ts';

export const subscriptions = pgTable(
  'subscriptions',
  {
    provider: text('provider').notNull(),
    subscriptionId: text('subscription_id').notNull(),
    customerId: text('customer_id').notNull(),
    userId: text('user_id')
      .notNull()
      .references(() => users.id),
    planId: text('plan_id').notNull(),
    status: text('status', { enum: ['active', 'ended'] }).notNull(),
    eventAt: moment('event_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.provider, table.subscriptionId] })],
);

export const billingEvents = pgTable(
  'billing_events',
  {
    provider: text('provider').notNull(),
    eventId: text('event_id').notNull(),
    type: text('type').notNull(),
    receivedAt: moment('received_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.provider, table.eventId] })],
);

export const planRequests = pgTable('plan_requests', {
  userId: text('user_id')
    .primaryKey()
    .references(() => users.id),
  planId: text('plan_id').notNull(),
  requestedAt: moment('requested_at').notNull(),
});
