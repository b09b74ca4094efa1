/** The server processes that share a store, as the migration 0029 creates them. */

import { sql } from 'drizzle-orm';
import { boolean, pgTable, text } from 'drizzle-orm/pg-core';
import { moment } from '../../store/columns.ts';

export const nodes = pgTable('nodes', {
  id: text('id').primaryKey(),
  url: text('url'),
  startedAt: moment('started_at').notNull().default(sql`now()`),
  beatAt: moment('beat_at').notNull().default(sql`now()`),
});

export const nodeSecret = pgTable('node_secret', {
  onlyRow: boolean('only_row').primaryKey().default(true),
  secret: text('secret').notNull(),
});
