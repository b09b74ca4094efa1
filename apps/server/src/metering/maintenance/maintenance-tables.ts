import { boolean, integer, pgTable, text } from 'drizzle-orm/pg-core';
import { moment } from '../../store/columns.ts';

export const maintenance = pgTable('maintenance', {
  onlyRow: boolean('only_row').primaryKey().default(true),
  message: text('message').notNull(),
  retryAfterSeconds: integer('retry_after_seconds').notNull(),
  since: moment('since').notNull(),
});
